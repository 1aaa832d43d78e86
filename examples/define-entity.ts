// The same without decorators: for plain Node type stripping, for schemas that exist already, or as a matter of taste.
import { defineEntity, open, uuidv7 } from 'norimaki';
import { memory } from 'norimaki/stores/memory';
import { z } from 'zod';

const Task = defineEntity(
  'task',
  z.object({
    id: z.uuid(),
    project: z.string(),
    title: z.string().min(1),
    done: z.boolean().default(false),
    createdAt: z.date(),
  }),
  { id: 'id', generate: uuidv7, versioned: 'version', index: { byProject: ['project', 'createdAt'] } },
);

await using db = await open(memory());
const tasks = db.repo(Task);

// The id is made, `done` has a default: neither is required.
const first = await tasks.create({ project: 'dinner', title: 'Cook rice', createdAt: new Date(1) });
await tasks.create({ project: 'dinner', title: 'Roll nori', createdAt: new Date(2) });
await tasks.create({ project: 'garden', title: 'Water the tomatoes', createdAt: new Date(3) });

const finished = await tasks.mutate(first.id, (task) => {
  task.done = true;
});
console.log(
  `${finished.title}: ${finished.done ? 'done' : 'open'}, the version moved: ${finished.version !== first.version}`,
);

const { items } = await tasks.find({ project: 'dinner' });
console.log(items.map(({ title, done }) => `${done ? 'x' : '-'} ${title}`).join('\n'));
