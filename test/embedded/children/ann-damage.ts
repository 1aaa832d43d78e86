import { readFileSync } from 'node:fs';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type AnnSpaceOptions, startAnn } from '../../../src/stores/embedded/ann/index.ts';
import { pickInt, seededRandom } from '../../../src/testing/seeded-random.ts';
import { clustered, labelsFrom, rowOf } from '../support/clustered.ts';
import { tell } from './talk.ts';

const [, , folder = '', type, seed] = process.argv;
const ROUNDS = 60;
const DIMENSIONS = 512;
/** A graph begins beyond 4,000. */
const COUNT = type === 'exact' ? 500 : 5000;

const thread = startAnn();
const options: AnnSpaceOptions = { dimensions: DIMENSIONS, metric: 'cosine', type: type as 'exact' | 'hnsw' };
const space = await thread.space(options);
const rows = clustered(DIMENSIONS, 1)(COUNT);
await space.add(labelsFrom(0, COUNT), rows.slice());
while ((await space.stats()).kind !== type) await new Promise((resolve) => setImmediate(resolve));
const path = join(folder, 'saved');
const snapshot = await space.save(path);
const whole = readFileSync(path);

const random = seededRandom(Number(seed));
const other = await thread.space(options);
await other.add(labelsFrom(9000, 1), rows.slice(0, DIMENSIONS));
let refused = 0;
for (let round = 0; round < ROUNDS; round++) {
  await writeFile(path, whole);
  await truncate(path, pickInt(random, whole.length));
  if (!(await other.load(path, snapshot))) refused++;

  const damaged = Buffer.from(whole);
  const at = pickInt(random, whole.length);
  damaged[at] = (damaged[at] as number) ^ (1 << pickInt(random, 8));
  await writeFile(path, damaged);
  if (!(await other.load(path, snapshot))) refused++;
}
const [unchanged] = await other.search(rowOf(rows, DIMENSIONS, 0), 1);
await writeFile(path, whole);
const loaded = await other.load(path, snapshot);
const found = (await other.search(rowOf(rows, DIMENSIONS, 77), 1))[0];
tell({ refused, unchanged, loaded, found, kind: snapshot.kind });
await thread.close();
