import { setTimeout as sleep } from 'node:timers/promises';
import { type AnnSnapshot, startAnn } from '../../../src/stores/embedded/ann/index.ts';

// Comes to its end in the given manner while the thread is inside of usearch nearly all of the time.

const [, , path = '', saved = '', manner = '', wait = ''] = process.argv;
// What the test passed on.
const snapshot = JSON.parse(saved) as AnnSnapshot;
const { dimensions, metric, size } = snapshot;
const thread = startAnn();
const space = await thread.space({ dimensions, metric, type: 'hnsw' });
if (!(await space.load(path, snapshot))) throw new Error('The graph was not loaded.');
const query = Float32Array.from({ length: dimensions }, (_, i) => Math.sin(i * i));
const searches = Array.from({ length: 1000 }, () => space.search(query, size).catch(() => {}));
await sleep(Number(wait));
if (manner === 'exit') process.exit(0);
await thread.close();
await Promise.all(searches);
