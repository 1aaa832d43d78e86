import { expect, test } from 'vitest';
import { seededRandom } from './seeded-random.ts';

const numbers = (seed: number, count: number): number[] => {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => random.float());
};

test('one seed gives one sequence', () => {
  expect(numbers(42, 100)).toEqual(numbers(42, 100));
  expect(seededRandom(42).bytes(64)).toEqual(seededRandom(42).bytes(64));
});

test('different seeds give different sequences, near and far', () => {
  const firsts = [0, 1, 2, -1, 2 ** 32, 2 ** 32 + 1, Number.MAX_SAFE_INTEGER].map((seed) => numbers(seed, 4).join());
  expect(new Set(firsts).size).toBe(firsts.length);
});

test('floats are in [0, 1) and even', () => {
  const all = numbers(7, 20_000);
  expect(all.every((number) => number >= 0 && number < 1)).toBe(true);
  const tenths = new Array<number>(10).fill(0);
  for (const number of all) tenths[Math.floor(number * 10)]! += 1;
  for (const count of tenths) expect(Math.abs(count - 2000)).toBeLessThan(200);
});

test('bytes have the asked length and take every value', () => {
  const bytes = seededRandom(3).bytes(10_000);
  expect(bytes.length).toBe(10_000);
  expect(new Set(bytes).size).toBe(256);
});
