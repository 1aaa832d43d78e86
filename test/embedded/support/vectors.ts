import { pickInt, seededRandom } from '../../../src/testing/seeded-random.ts';

/** The same vector for the same words, unlike that of any others. */
export function vectorOf(words: string, dimensions: number): Float32Array {
  let seed = 7;
  for (const character of words) seed = (seed * 31 + character.charCodeAt(0)) % 2_147_483_647;
  const random = seededRandom(seed);
  return Float32Array.from({ length: dimensions }, () => (pickInt(random, 20_001) - 10_000) / 10_000);
}
