import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, onTestFinished, test } from 'vitest';
import { distance, type Metric } from '../../src/core/vectors/index.ts';
import type { AnnSnapshot, AnnSpaceOptions } from '../../src/stores/embedded/ann/index.ts';
import { makeGate } from '../../src/stores/embedded/ann/native-gate.ts';
import { Space } from '../../src/stores/embedded/ann/worker/space.ts';
import { Turns } from '../../src/stores/embedded/ann/worker/turns.ts';
import { usearchLoader } from '../../src/stores/embedded/ann/worker/usearch.ts';
import { startChild, startOnSmallDisk } from './support/child.ts';
import { clustered, labelsFrom, rowOf } from './support/clustered.ts';
import { temporaryFolder } from './support/folder.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const loadUsearch = usearchLoader(createRequire(import.meta.url).resolve('usearch'), makeGate());
const SEED = Number(process.env.NORIMAKI_SEED ?? randomInt(2 ** 31));

/** Share of the true nearest that the searches find. */
function share(found: readonly Float64Array[], nearest: readonly (readonly number[])[]): number {
  const hits = nearest.flatMap((labels, i) => labels.filter((label) => found[i]?.includes(label)));
  return hits.length / nearest.flat().length;
}

const unequal = (rows: Float32Array, dimensions: number): Float32Array =>
  rows.map((x, i) => x * (0.5 + (Math.floor(i / dimensions) % 17) / 17));

/** More than are scanned, with the default metric; fewer with the others, whose graphs take as long to build. */
test.each<[Metric, number, number | undefined]>([
  ['cosine', 5500, undefined],
  ['euclidean', 1500, 2 ** 19],
  ['innerProduct', 1500, 2 ** 19],
])(
  '%s: the graph of %d vectors finds nearly all of the nearest, and nothing removed',
  async (metric, count, scannable) => {
    // Three of eight are removed again.
    const [dimensions, added, part] = [256, (count / 5) * 8, count / 5];
    const make = clustered(dimensions, 3);
    const shape = (rows: Float32Array) => (metric === 'cosine' ? rows : unequal(rows, dimensions));
    const [rows, queries] = [shape(make(added)), shape(make(80))];
    const space = new Space({ dimensions, metric, type: 'hnsw' }, loadUsearch, new Turns(), scannable);
    onTestFinished(() => space.close());
    for (let from = 0; from < added; from += part) {
      await space.add(labelsFrom(from, part), rows.slice(from * dimensions, (from + part) * dimensions));
    }
    while ((await space.stats()).kind !== 'hnsw') await new Promise((resolve) => setImmediate(resolve));
    const isRemoved = (label: number): boolean => label % 8 < 3;
    await space.remove(labelsFrom(0, added).filter(isRemoved));
    expect(await space.stats()).toEqual({ size: count, dead: added - count, kind: 'hnsw' });

    const labels = labelsFrom(0, added).filter((label) => !isRemoved(label));
    const found: { readonly [k: number]: Float64Array[] } = { 10: [], 100: [] };
    const nearest: number[][] = [];
    for (let i = 0; i < 80; i++) {
      const query = rowOf(queries, dimensions, i);
      for (const k of [10, 100]) {
        const near = await space.search(query, k, 0, () => true);
        expect(near.length).toBe(k);
        expect(near.some(isRemoved)).toBe(false);
        found[k]?.push(near);
      }
      const far = Array.from(labels, (label): [number, number] => [
        distance(metric, query, rowOf(rows, dimensions, label)),
        label,
      ]);
      nearest.push(
        far
          .sort(([a], [b]) => a - b)
          .slice(0, 100)
          .map(([, label]) => label),
      );
    }
    expect(share(found[100] ?? [], nearest)).toBeGreaterThanOrEqual(0.97);
    const ten = nearest.map((each) => each.slice(0, 10));
    expect(share(found[10] ?? [], ten)).toBeGreaterThanOrEqual(0.97);
  },
);

/** Saves a space that holds so many; if it is to be a graph it is one, however few they are. */
async function save(path: string, options: AnnSpaceOptions, count: number): Promise<AnnSnapshot> {
  const space = new Space(options, loadUsearch, new Turns(), 0);
  onTestFinished(() => space.close());
  await space.add(labelsFrom(0, count), clustered(options.dimensions, 1)(count));
  while ((await space.stats()).kind !== options.type) await new Promise((resolve) => setImmediate(resolve));
  return space.save(path);
}

test.each(['exact', 'hnsw'] as const)(
  'no damaged file of the kind %s is loaded, and none ends the process',
  async (kind) => {
    console.log(`NORIMAKI_SEED=${SEED}`);
    const path = join((await temporaryFolder()).path, 'saved');
    const snapshot = await save(path, { dimensions: 512, metric: 'cosine', type: kind }, 500);
    const child = startChild('ann-damage', path, JSON.stringify(snapshot), kind, SEED);
    expect(await child.next()).toEqual({ refused: 120, unchanged: 9000, loaded: true, found: 77, kind });
    expect(await child.ended).toEqual({ code: 0, signal: null, errors: '' });
  },
);

test('a graph whose end did not fit on the disk is not taken for whole', async () => {
  const { path, data: disk } = await temporaryFolder();
  await mkdir(disk);
  const graph = join(path, 'graph');
  const snapshot = await save(graph, { dimensions: 512, metric: 'cosine', type: 'hnsw' }, 600);
  const child = startOnSmallDisk('ann-full-disk', disk, 32 * 2 ** 20, graph, JSON.stringify(snapshot));
  expect(await child.next()).toEqual({
    codes: ['store.full', 'store.full', 'store.full'],
    loaded: true,
    files: ['saved'],
  });
  expect(await child.ended).toEqual({ code: 0, signal: null, errors: '' });
});

test.each(['close', 'exit'])('a process comes to its end by %s while usearch is at work', async (manner) => {
  const path = join((await temporaryFolder()).path, 'saved');
  const snapshot = JSON.stringify(await save(path, { dimensions: 2048, metric: 'cosine', type: 'hnsw' }, 600));
  const children = [20, 70, 120].map((wait) => startChild('ann-exit', path, snapshot, manner, wait));
  for (const { ended } of children) expect(await ended).toEqual({ code: 0, signal: null, errors: '' });
});

/** Uses the graph, which with so many dimensions begins early, and comes to its end without closing anything. */
const program = (path: string): string => `
import { startAnn } from ${JSON.stringify(path)};
const space = await startAnn().space({ dimensions: 4096, metric: 'euclidean', type: 'hnsw' });
const labels = Float64Array.from({ length: 540 }, (_, i) => i);
await space.add(labels, Float32Array.from({ length: 540 * 4096 }, (_, i) => Math.sin(i * i)));
while ((await space.stats()).kind !== 'hnsw') await new Promise((resolve) => setImmediate(resolve));
const [found] = await space.search(Float32Array.from({ length: 4096 }, (_, i) => Math.sin((77 * 4096 + i) ** 2)), 3);
console.log(found);
`;

test.each(['as it is published', 'from its sources, under tsx', 'bundled into one file'])(
  'the thread runs %s',
  async (way) => {
    const { path: folder } = await temporaryFolder();
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const file = join(folder, 'program.mjs');
    const source = join(ROOT, 'src/stores/embedded/ann/index.ts');
    const published = join(ROOT, 'dist/stores/embedded/ann/index.js');
    await writeFile(file, program(way === 'as it is published' ? published : source));
    if (way === 'bundled into one file') {
      const options = { bundle: true, platform: 'node', format: 'esm', packages: 'external', minify: true } as const;
      await build({ entryPoints: [file], outfile: file, allowOverwrite: true, ...options });
    }
    const flags = way === 'from its sources, under tsx' ? ['--import', 'tsx'] : [];
    expect(execFileSync(process.execPath, [...flags, file], { cwd: ROOT, encoding: 'utf8' })).toBe('77\n');
  },
);
