// A film club: what its members watched leads to what they might like, and to why. 3,000 films, offline; the members are made up.

import { readFile } from 'node:fs/promises';
import { type Default, Embedding, Entity, Field, Id, open } from 'norimaki';
import { hashingEmbedder } from 'norimaki/embedders';
import { Recommender } from 'norimaki/patterns';
import { memory } from 'norimaki/stores/memory';
import { z } from 'zod';

@Entity('film')
class Film {
  @Id() title!: Id<string>;
  @Field(z.string().optional()) genre?: string | undefined;
  @Field(z.string().optional()) director?: string | undefined;
  @Field(z.boolean()) available: Default<boolean> = true;

  // The hashing embedder finds words; for meanings take a model, and a text that tells the story.
  @Embedding({ from: ['title', 'genre', 'director'] }) text?: Float32Array;
}

await using db = await open(memory(), { embedder: hashingEmbedder() });
const films = db.repo(Film);
const Row = z.object({ Title: z.string(), 'Major Genre': z.string().nullable(), Director: z.string().nullable() });
const file = new URL('../data/movies.json', import.meta.resolve('vega-datasets'));
const rows = z.array(z.unknown()).parse(JSON.parse(await readFile(file, 'utf8')));
const known = rows.flatMap((row) => Row.safeParse(row).data ?? []);
// A remake has the title of another: the first one stays.
await films.createMany(
  known.map((row) => ({
    title: row.Title,
    genre: row['Major Genre'] ?? undefined,
    director: row.Director ?? undefined,
  })),
);

const club = new Recommender(db, Film, {
  name: 'club',
  signals: { looked: 1, watched: 4, loved: 8, walkedOut: -6 },
  halfLife: '180d',
});

// Mia has two tastes. Her clicks may come twice, from several servers: a key makes each count once.
for (const [i, title] of [
  'Jaws',
  'Jurassic Park',
  'E.T. the Extra-Terrestrial',
  'Toy Story',
  'Toy Story 2',
].entries()) {
  const click = () => club.record('mia', title, 'loved', { idempotencyKey: `click ${i}` });
  await Promise.all([click(), click()]);
}
await club.record('mia', 'Hook', 'walkedOut');

const list = await club.for('mia', { limit: 8, filter: (film) => film.available, diversify: 0.2, seed: 1 });
for (const { item, because } of list) {
  console.log(`${item.title} (${item.director ?? '?'}), because of ${because.map((reason) => reason.item).join(', ')}`);
}
const titles = list.map(({ item }) => item.title);
console.log(
  `both tastes: ${titles.includes('Toy Story 3') && list.some(({ item }) => item.director === 'Steven Spielberg')}`,
);
console.log(`nothing again, and no Hook: ${!titles.some((title) => ['Jaws', 'Toy Story', 'Hook'].includes(title))}`);

// Tom is new. What the others love is what he gets; what is taken out of the programme he does not.
await club.record('ann', 'Jaws', 'watched');
await films.mutate('Toy Story', (film) => {
  film.available = false;
});
const forTom = await club.for('tom', { limit: 3, filter: (film) => film.available });
console.log(`for Tom: ${forTom[0]?.item.title}, by what is ${forTom[0]?.source}`);

const like = await club.similar('The Godfather', { limit: 2 });
console.log(`like The Godfather: ${like.map(({ item }) => item.title).join(', ')}`);

console.log(`Mia is forgotten: ${await club.forget('mia')}, ${(await club.profile('mia')).items.length} items left`);
