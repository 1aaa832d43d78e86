import { open } from '../../../src/index.ts';
import { EventStore } from '../../../src/patterns/index.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { SeenViews, Tally } from '../../patterns/support/event-tally.ts';
import { hear, tell } from './talk.ts';

// projector <path> <name>: projects and handles events for as long as it is let, and tells which it has handled.

const [path = '', name = ''] = process.argv.slice(2);
const db = await open(embedded({ path }));
const store = new EventStore(db, { name: 'tallies', aggregates: [Tally] });
const options = { lease: { ttl: 1500, renewEvery: 300, pollEvery: 300 } } as const;
const projection = store.project(SeenViews, options);
const subscription = store.subscribe(
  { name: 'listener', streams: Tally, partitions: 2, checkpointEvery: 3, ...options },
  ({ stream, version }) => tell({ by: name, handled: `${stream.id}/${version}` }),
);
tell({ ready: name });
await hear();
await Promise.all([projection.close(), subscription.close()]);
await db.close();
process.exit();
