import fc from 'fast-check';
import { expect, test } from 'vitest';
import { distance, type Metric } from '../../../../core/vectors/index.ts';
import { Flat } from './flat.ts';
import { Turns } from './turns.ts';

const METRICS: readonly Metric[] = ['cosine', 'euclidean', 'innerProduct'];

/** What a search must find: every vector measured by the core, nearest first, then by label. */
function nearestOf(held: ReadonlyMap<number, Float32Array>, metric: Metric, query: Float32Array, k: number) {
  return (
    [...held]
      // Both zeros are one distance.
      .map(([label, vector]) => ({ label, distance: distance(metric, query, vector) + 0 }))
      .sort((a, b) => a.distance - b.distance || a.label - b.label)
      .slice(0, k)
  );
}

const command = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant('add' as const), count: fc.integer({ min: 1, max: 9 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('remove' as const), at: fc.array(fc.nat(40), { maxLength: 6 }) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('take' as const), count: fc.integer({ min: 1, max: 9 }) }) },
);

test('a scan finds what the core measures, to the last bit, whatever was added, removed and taken', async () => {
  const number = fc.oneof(
    fc.integer({ min: -3, max: 3 }),
    fc.float({ noNaN: true, noDefaultInfinity: true }),
    fc.constantFrom(0, -0, 1e-13, 3.4e38, -3.4e38),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...METRICS),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 40 }),
      fc.array(command, { maxLength: 20 }),
      fc.infiniteStream(number),
      fc.integer({ min: 1, max: 60 }),
      async (metric, dimensions, block, commands, numbers, k) => {
        const vector = (): Float32Array => Float32Array.from({ length: dimensions }, () => numbers.next().value ?? 0);
        const flat = new Flat(dimensions, metric, block);
        const held = new Map<number, Float32Array>();
        const taken = new Map<number, Float32Array>();
        let label = 0;
        for (const step of commands) {
          if (step.type === 'add') {
            const rows = Array.from({ length: step.count }, vector);
            const labels = Float64Array.from(rows, () => label++);
            flat.add(labels, Float32Array.from(rows.flatMap((row) => [...row])));
            for (const [i, row] of rows.entries()) held.set(labels[i] as number, row);
          } else if (step.type === 'remove') {
            flat.remove(Float64Array.from(step.at));
            for (const at of step.at) [held.delete(at), taken.delete(at)];
          } else if (flat.untaken > 0) {
            const { labels, vectors } = flat.take(step.count);
            expect(labels.length).toBeGreaterThan(0);
            for (const [i, each] of labels.entries()) {
              expect(taken.has(each)).toBe(false);
              taken.set(each, vectors.slice(i * dimensions, (i + 1) * dimensions));
            }
          }
          expect(flat.size).toBe(held.size);
          expect(flat.untaken).toBe(held.size - taken.size);
        }
        while (flat.untaken > 0) {
          const { labels, vectors } = flat.take(7);
          for (const [i, each] of labels.entries()) {
            expect(taken.has(each)).toBe(false);
            taken.set(each, vectors.slice(i * dimensions, (i + 1) * dimensions));
          }
        }
        expect(new Map([...taken].sort(([a], [b]) => a - b))).toEqual(held);

        const query = vector();
        const found = await flat.search(query, k, new Turns());
        const expected = nearestOf(held, metric, query, k);
        expect([...found.labels]).toEqual(expected.map((each) => each.label));
        expect([...found.distances].map((each) => each + 0)).toEqual(expected.map((each) => each.distance));
      },
    ),
    { numRuns: 300 },
  );
});

test('a label that is there already is refused', () => {
  const flat = new Flat(1, 'cosine');
  flat.add(Float64Array.of(1), Float32Array.of(1));
  expect(() => flat.add(Float64Array.of(1), Float32Array.of(2))).toThrow('twice');
  expect(flat.size).toBe(1);
});
