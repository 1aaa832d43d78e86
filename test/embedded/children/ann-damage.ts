import { readFileSync } from 'node:fs';
import { truncate, writeFile } from 'node:fs/promises';
import { type AnnSnapshot, startAnn } from '../../../src/stores/embedded/ann/index.ts';
import { pickInt, seededRandom } from '../../../src/testing/seeded-random.ts';
import { clustered, labelsFrom, rowOf } from '../support/clustered.ts';
import { tell } from './talk.ts';

// Loads what was saved at `path`, damaged in many ways, then whole.

const [, , path = '', saved = '', type, seed] = process.argv;
const ROUNDS = 60;
// What the test passed on.
const snapshot = JSON.parse(saved) as AnnSnapshot;
const { dimensions, metric, size } = snapshot;
const rows = clustered(dimensions, 1)(size);
const thread = startAnn();
const whole = readFileSync(path);

const random = seededRandom(Number(seed));
const space = await thread.space({ dimensions, metric, type: type as 'exact' | 'hnsw' });
await space.add(labelsFrom(9000, 1), rows.slice(0, dimensions));
let refused = 0;
for (let round = 0; round < ROUNDS; round++) {
  await writeFile(path, whole);
  await truncate(path, pickInt(random, whole.length));
  if (!(await space.load(path, snapshot))) refused++;

  const damaged = Buffer.from(whole);
  const at = pickInt(random, whole.length);
  damaged[at] = (damaged[at] as number) ^ (1 << pickInt(random, 8));
  await writeFile(path, damaged);
  if (!(await space.load(path, snapshot))) refused++;
}
const [unchanged] = await space.search(rowOf(rows, dimensions, 0), 1);
await writeFile(path, whole);
const loaded = await space.load(path, snapshot);
const found = (await space.search(rowOf(rows, dimensions, 77), 1))[0];
tell({ refused, unchanged, loaded, found, kind: snapshot.kind });
await thread.close();
