import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ranked, type Tallied, tally } from './tally.ts';

const HALF = 1000;

const counts = fc.array(
  fc.record({
    item: fc.constantFrom(...'abcdefghijklmnop'),
    weight: fc.double({ min: 0.1, max: 8, noNaN: true }),
    at: fc.integer({ min: 0, max: 5 * HALF }),
  }),
  { maxLength: 60 },
);

function truth(all: readonly Tallied[]): Map<string, number> {
  const then = Math.max(...all.map(({ at }) => at));
  const sums = new Map<string, number>();
  for (const { item, weight, at } of all) sums.set(item, (sums.get(item) ?? 0) + weight * 2 ** ((at - then) / HALF));
  return sums;
}

describe('a tally', () => {
  test('with room is the decayed sum of all, in whichever order it was counted', () => {
    fc.assert(
      fc.property(counts, (all) => {
        const list: Tallied[] = [];
        const turned: Tallied[] = [];
        for (const one of all) tally(list, one, 100, HALF);
        for (const one of [...all].reverse()) tally(turned, one, 100, HALF);
        const sums = truth(all);
        expect(list).toHaveLength(sums.size);
        for (const [found] of [[list], [turned]]) {
          for (const { item, weight } of ranked([found ?? []], HALF))
            expect(weight).toBeCloseTo(sums.get(item) ?? 0, 9);
        }
      }),
      { seed: 1 },
    );
  });

  test('that is full counts nothing for less than it has, and has all that is more than its share', () => {
    fc.assert(
      fc.property(counts, fc.integer({ min: 1, max: 6 }), (all, top) => {
        fc.pre(all.length > 0);
        const list: Tallied[] = [];
        for (const one of all) tally(list, one, top, HALF);
        expect(list.length).toBeLessThanOrEqual(top);
        // As at the end of what was counted, which the list may not have any more.
        const then = Math.max(...all.map(({ at }) => at));
        const found = new Map(list.map(({ item, weight, at }) => [item, weight * 2 ** ((at - then) / HALF)]));
        const sums = truth(all);
        const total = [...sums.values()].reduce((sum, weight) => sum + weight, 0);
        for (const [item, weight] of sums) {
          if (found.has(item)) expect(found.get(item)).toBeGreaterThan(weight - 1e-9);
          else expect(weight).toBeLessThanOrEqual(total / top + 1e-9);
        }
      }),
      { seed: 2, numRuns: 500 },
    );
  });

  test('of several lists is one, and what weighs the same is in the order of names', () => {
    const list = (...items: string[]) => items.map((item) => ({ item, weight: 1, at: 0 }));
    expect(ranked([list('b', 'a'), list('c', 'b')], HALF)).toEqual([
      { item: 'b', weight: 2 },
      { item: 'a', weight: 1 },
      { item: 'c', weight: 1 },
    ]);
    expect(ranked([], HALF)).toEqual([]);
  });
});
