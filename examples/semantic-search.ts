// A search page over a cookbook: by meaning and by words, with conditions, pages and diversity; by words alone while the
// embedder is down; two processes that find what the other writes; a start from a snapshot.
import { type Embedder, Embedding, Entity, Field, Id, Index, NorimakiError, open, systemEnvironment } from 'norimaki';
import { hashingEmbedder } from 'norimaki/embedders';
import { SemanticIndex } from 'norimaki/patterns';
import { memory } from 'norimaki/stores/memory';
import { z } from 'zod';

@Entity('recipe')
class Recipe {
  @Id() id!: Id<string>;
  @Field(z.string()) title!: string;
  @Field(z.string()) text!: string;
  @Field(z.number()) @Index() minutes!: number;
  @Embedding({ from: ['title', 'text'] }) meaning?: Float32Array;
}

// The hashing embedder works without a network, and finds words and spellings; a model would find meanings.
const hashing = hashingEmbedder();
let isDown = false;
const embedder: Embedder = {
  id: hashing.id,
  dimensions: hashing.dimensions,
  embed: (texts, options) => {
    if (isDown) throw new NorimakiError('embedder.unavailable', 'The embedder is down.', { embedder: hashing.id });
    return hashing.embed(texts, options);
  },
};

// Two processes on one store, played by two handles.
const store = await memory().openStore(systemEnvironment);
const options = {
  name: 'recipes',
  lexical: { fields: { title: 3, text: 1 } },
  whenEmbedderFails: 'lexical',
} as const;
await using here = await open(store, { embedder });
await using there = await open(store, { embedder });
const recipes = here.repo(Recipe);
const search = new SemanticIndex(recipes, options);
const elsewhere = new SemanticIndex(there.repo(Recipe), options);
await Promise.all([search.ready(), elsewhere.ready()]);

await recipes.createMany([
  { id: 'maki', title: 'Cucumber maki', text: 'Roll rice and cucumber in a sheet of nori.', minutes: 30 },
  { id: 'maki2', title: 'Cucumber maki rolls', text: 'Roll rice and cucumber in a sheet of nori.', minutes: 35 },
  { id: 'onigiri', title: 'Onigiri', text: 'Press rice around a pickled plum, wrap it in nori.', minutes: 20 },
  { id: 'soup', title: 'Miso soup', text: 'Dashi, miso, tofu and a little wakame seaweed.', minutes: 15 },
  { id: 'tea', title: 'Rice tea', text: 'Steep roasted rice with green tea.', minutes: 5 },
]);

// What was just written is found at once, and each hit says why.
const page = await search.find('rice in nori', { limit: 2 });
for (const { entity, why } of page.hits) {
  console.log(`${entity.title}: by its vector no. ${why.vector?.rank}, by the words ${why.lexical?.terms.join(', ')}`);
}
const rest = await search.find('rice in nori', { limit: 10, cursor: page.next });
console.log(`and ${rest.hits.length} more; that is all: ${rest.exhausted}`);

// Conditions, and hits that are unlike each other.
const quick = await search.find('rice', { where: { minutes: { lte: 20 } }, hybrid: { lexical: 1 } });
console.log(`quick ones with rice: ${quick.hits.map(({ entity }) => entity.id).join(', ')}`);
const varied = await search.find('cucumber maki', { limit: 2, diversify: 0.7 });
console.log(`varied: ${varied.hits.filter(({ entity }) => entity.id.startsWith('maki')).length} of 2 are maki`);

// Typing errors and other forms are the vectors' part; a rare word is the words'.
console.log(`like onigiri: ${(await search.similar('onigiri', { limit: 1 })).hits[0]?.entity.title}`);

isDown = true;
const byWords = await search.find('wakame');
console.log(`while the embedder is down: ${byWords.hits[0]?.entity.title}, without ${byWords.lacks.join()}`);
isDown = false;

// The other process hears of it by a watch.
let heard = 0;
for (let i = 0; i < 100 && heard === 0; i++) {
  heard = (await elsewhere.find('wakame', { hybrid: { lexical: 1 } })).hits.length;
  await here.environment.clock.sleep(10);
}
console.log(`the other process finds it, too: ${heard === 1}`);

// Deleted is deleted, in all processes, at once.
await recipes.delete('soup');
console.log(`deleted: ${(await elsewhere.find('wakame', { hybrid: { lexical: 1 } })).hits.length} found`);

// What is known of the words is kept in the store: the next process takes apart only what was written since.
await search.close();
await elsewhere.close();
const next = new SemanticIndex(recipes, options);
await next.ready();
console.log(`the next start: ${next.stats()?.documents} recipes, ${next.stats()?.indexed} read anew`);
await next.close();
