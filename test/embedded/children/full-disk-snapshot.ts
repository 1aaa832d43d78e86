import { readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemEnvironment } from '../../../src/core/system.ts';
import { type EmbeddedStore, embedded } from '../../../src/stores/embedded/index.ts';
import { vectorOf } from '../support/vectors.ts';
import { tell } from './talk.ts';

// Closes a store whose graph is worth a snapshot where the disk has room for half of one, then where it has room.

const [, , disk = ''] = process.argv;
const [path, ballast] = [join(disk, 'data'), join(disk, 'ballast')];
/** With so many dimensions few vectors are enough for a graph: only graphs are saved. */
const [DIMENSIONS, COUNT] = [4090, 520];
const GRAPH_BYTES = DIMENSIONS * COUNT * 4;

const reopen = (): Promise<EmbeddedStore> => embedded({ path }).openStore(systemEnvironment);
const kindInMemory = async (): Promise<unknown> => (await store.stats()).namespaces[0]?.memory;

async function lost(): Promise<string[]> {
  const missing: string[] = [];
  for (let i = 0; i < COUNT; i += 40) {
    const [hit] = await store.vectors.search('large', vectorOf(`v${i}`, DIMENSIONS), 1);
    if (hit?.id !== `v${i}`) missing.push(`v${i}`);
  }
  return missing;
}

async function closeWithGraph(): Promise<{ lost: string[]; files: number }> {
  const missing = await lost();
  while ((await kindInMemory()) !== 'hnsw') await systemEnvironment.clock.sleep(5);
  await store.close();
  return { lost: missing, files: (await readdir(join(path, 'vectors'))).length };
}

let store = await reopen();
await store.vectors.createIndex('large', { dimensions: DIMENSIONS, metric: 'cosine', type: 'hnsw' });
await store.commit([], {
  vectors: Array.from({ length: COUNT }, (_, i) => {
    return { type: 'insert', namespace: 'large', id: `v${i}`, vector: vectorOf(`v${i}`, DIMENSIONS) };
  }),
});
const { bavail, bsize } = await statfs(disk);
await writeFile(ballast, new Uint8Array(bavail * bsize - GRAPH_BYTES / 2));
tell({ whileFull: await closeWithGraph() });

store = await reopen();
await rm(ballast);
tell({ withSpace: await closeWithGraph() });

store = await reopen();
await store.vectors.search('large', vectorOf('v0', DIMENSIONS), 1);
// At once: a graph that is built anew is scanned until it is ready.
tell({ loaded: await kindInMemory(), lost: await lost() });
await store.close();
