import { open } from '../../../src/index.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { fakeEmbedder } from '../../../src/testing/index.ts';
import { disagreements } from '../../embeddings/support/oracle.ts';
import { Doc, type Docs } from '../../embeddings/support/world.ts';
import { hear, tell } from './talk.ts';

// One of several processes that save what is embedded into a map that was opened too small for it.

const [, , path = '', name = '', mapSize = '0'] = process.argv;
const embedder = fakeEmbedder({ dimensions: 4096 });
const db = await open(embedded({ path, mapSize: Number(mapSize) }), { embedder });
// The class is written in TypeScript's decorators, whose types the repository needs said.
const docs = db.repo(Doc) as unknown as Docs;
tell({ ready: true });
const count = Number(await hear());
for (let i = 0; i < count; i += 4) {
  await Promise.all([0, 1, 2, 3].map((j) => docs.create({ id: `${name}-${i + j}`, text: `text of ${name}-${i + j}` })));
  // Reads on while the other process grows the map.
  await docs.search('a query', { limit: 1 });
}
tell({ saved: count });
const ids = (await hear()).split(' ');
const { isHealthy, checked } = await db.doctor();
tell({ wrong: await disagreements(docs, embedder, ids), isHealthy, checked });
await db.close();
process.exit();
