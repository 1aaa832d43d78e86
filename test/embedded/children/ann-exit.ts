import { setTimeout as sleep } from 'node:timers/promises';
import { startAnn } from '../../../src/stores/embedded/ann/index.ts';
import { labelsFrom } from '../support/clustered.ts';

// Comes to its end in the given manner while the thread is inside of usearch nearly all of the time.

const [, , manner = '', wait = ''] = process.argv;
const [DIMENSIONS, COUNT] = [4096, 600];
const thread = startAnn();
const space = await thread.space({ dimensions: DIMENSIONS, metric: 'cosine', type: 'hnsw' });
const rows = Float32Array.from({ length: COUNT * DIMENSIONS }, (_, i) => Math.sin(i * i));
await space.add(labelsFrom(0, COUNT), rows.slice());
while ((await space.stats()).kind !== 'hnsw') await new Promise((resolve) => setImmediate(resolve));
const searches = Array.from({ length: 4000 }, () => space.search(rows.subarray(0, DIMENSIONS), COUNT).catch(() => {}));
await sleep(Number(wait));
if (manner === 'exit') process.exit(0);
await thread.close();
await Promise.all(searches);
