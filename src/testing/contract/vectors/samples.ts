import assert from 'node:assert/strict';
import type { Random } from '../../../core/clock.ts';
import { canCommit, type Store } from '../../../core/store.ts';
import type { Metric, VectorIndexOptions, VectorIndexType } from '../../../core/vectors/index.ts';
import { pickInt, seededRandom } from '../../seeded-random.ts';
import { searchable } from '../assertions.ts';

/** A namespace that most cases use. */
export const SPACE = 'space';
export const METRICS: readonly Metric[] = ['cosine', 'euclidean', 'innerProduct'];
export const TYPES: readonly VectorIndexType[] = ['exact', 'hnsw'];
/** More vectors than these come in commits, if there are any. */
const BATCH = 200;

export const vector = (...numbers: number[]): Float32Array => Float32Array.from(numbers);

export function index(dimensions: number, options: Partial<VectorIndexOptions> = {}): VectorIndexOptions {
  return { dimensions, metric: 'euclidean', type: 'exact', ...options };
}

const between = (random: Random, low: number, high: number): number => low + (high - low) * random.float();

export function randomVector(random: Random, dimensions: number): Float32Array {
  return Float32Array.from({ length: dimensions }, () => between(random, -1, 1));
}

/** Vectors under ids; the ids are in no order. */
export function randomVectors(count: number, dimensions: number, seed = 7): Map<string, Float32Array> {
  const random = seededRandom(seed);
  return new Map(Array.from({ length: count }, (_, i) => [idOf(i), randomVector(random, dimensions)]));
}

/** Vectors around 40 centres, as real ones are. Indexes that look at a part are hopeless on even noise, and nobody has it. */
export function clusteredVectors(count: number, dimensions: number): Map<string, Float32Array> {
  const random = seededRandom(11);
  const centres = Array.from({ length: 40 }, () => randomVector(random, dimensions));
  const near = (): Float32Array => nearby(random, centres[pickInt(random, centres.length)] as Float32Array, 0.3);
  return new Map(Array.from({ length: count }, (_, i) => [idOf(i), near()]));
}

export function nearby(random: Random, centre: Float32Array, spread: number): Float32Array {
  return centre.map((number) => number + between(random, -spread, spread));
}

const idOf = (i: number): string => `id ${(i * 7919) % 10_007}`;

/** Makes a namespace that holds these. */
export async function fill(
  store: Store,
  namespace: string,
  options: VectorIndexOptions,
  entries: ReadonlyMap<string, Float32Array>,
): Promise<void> {
  const { vectors } = searchable(store);
  await vectors.createIndex(namespace, options);
  const all = [...entries];
  for (let at = 0; at < all.length; at += BATCH) {
    const batch = all.slice(at, at + BATCH);
    if (canCommit(store) && all.length > BATCH) {
      const writes = batch.map(([id, one]) => ({ type: 'insert', namespace, id, vector: one }) as const);
      await store.commit([], { vectors: writes });
    } else await Promise.all(batch.map(([id, one]) => vectors.insert(namespace, id, one)));
  }
}

export function assertVector(actual: Float32Array | undefined, expected: Float32Array, message?: string): void {
  assert.ok(actual instanceof Float32Array, message ?? 'no vector there');
  assert.deepEqual(Array.from(actual), Array.from(expected), message);
}
