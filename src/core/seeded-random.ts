import type { Random } from './clock.ts';

const rotateLeft = (word: number, by: number): number => (word << by) | (word >>> (32 - by));

/** SplitMix32, the usual filler of a larger state from one seed. */
function* splitMix32(seed: number): Generator<number, never> {
  let state = seed | 0;
  for (;;) {
    state = (state + 0x9e3779b9) | 0;
    let word = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    word = Math.imul(word ^ (word >>> 15), 0x735a2d97);
    yield word ^ (word >>> 15);
  }
}

/**
 * Chance that replays: the same seed gives the same numbers. For tests, and for what must come out the same again;
 * whoever knows the seed knows every byte, so never make a secret of it.
 *
 * The generator is xoshiro128** (Blackman and Vigna 2018, https://prng.di.unimi.it/xoshiro128starstar.c).
 *
 * @example
 * ```ts
 * const random = seededRandom(42);
 * const db = await open(memory(), { clock: manualClock(), random });
 * ```
 */
export function seededRandom(seed: number): Random {
  const filler = splitMix32(seed);
  // Seeds are safe integers; their upper bits count too.
  const high = Math.floor(seed / 2 ** 32) | 0;
  let a = filler.next().value ^ high;
  let b = filler.next().value;
  let c = filler.next().value;
  let d = filler.next().value;

  function word(): number {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return result;
  }

  return {
    // 53 bits, as many as a number in [0, 1) can hold.
    float: () => ((word() >>> 5) * 2 ** 26 + (word() >>> 6)) / 2 ** 53,
    bytes(length) {
      const bytes = new Uint8Array(length);
      for (let i = 0; i < length; i++) bytes[i] = word() >>> 24;
      return bytes;
    },
  };
}

/** A whole number from 0 to `below - 1`. */
export function pickInt(random: Random, below: number): number {
  return Math.floor(random.float() * below);
}
