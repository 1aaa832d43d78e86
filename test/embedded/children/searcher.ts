import { z } from 'zod';
import { defineEntity, open } from '../../../src/index.ts';
import { SemanticIndex } from '../../../src/patterns/index.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { fakeEmbedder, seededRandom } from '../../../src/testing/index.ts';
import { hear, tell } from './talk.ts';

// searcher <path> <name>: writes notes and searches them, as it is told.

const Note = defineEntity('note', z.object({ id: z.string(), text: z.string() }), {
  id: 'id',
  embeddings: { vector: { from: 'text', index: 'exact' } },
});

const [path = '', name = ''] = process.argv.slice(2);
const db = await open(embedded({ path, durability: 'committed' }), { embedder: fakeEmbedder() });
const notes = db.repo(Note);
const search = new SemanticIndex(notes, { name: 's', lexical: { fields: { text: 1 } } });
await search.ready();
tell({ ready: true, ...search.stats() });

/** Words that nothing compresses, so that a snapshot takes several pieces. */
function rareWords(seed: number, count: number): string {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => Buffer.from(random.bytes(6)).toString('hex')).join(' ');
}

for (;;) {
  const [verb, ...rest] = (await hear()).split(' ');
  if (verb === 'write') {
    const [from = 0, count = 0] = rest.map(Number);
    const word = rest[2] ?? '';
    const some = Array.from({ length: count }, (_, i) => ({
      id: `${name}${from + i}`,
      text: `${word} ${rareWords(from + i, 20)}`,
    }));
    const results = await notes.createMany(some, { concurrency: 500 });
    tell({ wrote: results.filter(({ ok }) => ok).length });
  } else if (verb === 'find') {
    let found = 0;
    let cursor: string | undefined;
    let exhausted = false;
    do {
      const page = await search.find(rest.join(' '), { hybrid: { lexical: 1 }, limit: 100, cursor });
      found += page.hits.length;
      ({ next: cursor, exhausted } = page);
    } while (cursor !== undefined);
    tell({ found, exhausted });
  } else if (verb === 'doctor') {
    const { isHealthy, lexical } = await search.doctor({ fix: true });
    tell({ isHealthy, lexical });
  } else if (verb === 'close') {
    tell({ closing: true });
    await search.close();
    tell({ closed: true });
    await db.close();
    process.exit();
  }
}
