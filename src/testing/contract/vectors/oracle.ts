import assert from 'node:assert/strict';
import type { Metric, VectorMatch } from '../../../core/vectors/index.ts';

/** How far a distance may be from the true one, in parts of it. */
const TOLERANCE = 1e-6;

/** The sum over the numbers of two vectors of one length. */
function sum(a: Float32Array, b: Float32Array, term: (x: number, y: number) => number): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += term(a[i] ?? Number.NaN, b[i] ?? Number.NaN);
  return total;
}

const dot = (a: Float32Array, b: Float32Array): number => sum(a, b, (x, y) => x * y);

/** The distance as the protocol defines it, said as plainly as it can be, in 64-bit arithmetic. */
export function trueDistance(metric: Metric, a: Float32Array, b: Float32Array): number {
  switch (metric) {
    case 'innerProduct':
      return 0 - dot(a, b);
    case 'euclidean':
      return Math.sqrt(sum(a, b, (x, y) => (x - y) ** 2));
    case 'cosine': {
      const norms = Math.sqrt(dot(a, a)) * Math.sqrt(dot(b, b));
      return norms === 0 ? 1 : 1 - dot(a, b) / norms;
    }
  }
}

/** What an exact search must find: every distance computed, sorted, cut. */
export function nearestOf(
  vectors: ReadonlyMap<string, Float32Array>,
  metric: Metric,
  query: Float32Array,
  k: number,
): VectorMatch[] {
  return Array.from(vectors, ([id, vector]) => ({ id, distance: trueDistance(metric, query, vector) }))
    .sort((a, b) => a.distance - b.distance || Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)))
    .slice(0, k);
}

export function assertDistance(found: number | undefined, expected: number, message: string): void {
  assert.ok(
    typeof found === 'number' && Math.abs(found - expected) <= TOLERANCE * Math.max(1, Math.abs(expected)),
    `${message}: the distance is ${expected}, not ${found}`,
  );
}

/** That a search found just these, in this order. */
export function assertMatches(found: readonly VectorMatch[], expected: readonly VectorMatch[], message = ''): void {
  assert.deepEqual(
    found.map(({ id }) => id),
    expected.map(({ id }) => id),
    message || undefined,
  );
  for (const [i, { id, distance }] of expected.entries())
    assertDistance(found[i]?.distance, distance, `${message} ${id}`);
}
