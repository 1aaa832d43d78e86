import type { VectorMatch } from './vectors.ts';

/** UTF-16 puts what takes two units (0xd800 to 0xdfff) before 0xe000 to 0xffff; UTF-8 puts it behind. */
const rankOf = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

/** The order of vector ids: that of their UTF-8 bytes. */
export function compareIds(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return rankOf(x) - rankOf(y);
  }
  return a.length - b.length;
}

/** The order of what a search finds: the nearest first, equal distances by id. */
function compareMatches(a: VectorMatch, b: VectorMatch): number {
  return a.distance - b.distance || compareIds(a.id, b.id);
}

/** The `k` nearest of all, in order. Keeps no more than `k` at a time. */
export function nearest(all: Iterable<VectorMatch>, k: number): VectorMatch[] {
  const best: VectorMatch[] = [];
  for (const match of all) {
    const last = best.at(-1);
    if (best.length === k && last !== undefined && compareMatches(match, last) >= 0) continue;
    best.splice(placeOf(match, best), 0, match);
    if (best.length > k) best.pop();
  }
  return best;
}

/** Where the match stands in a list that is in order. */
function placeOf(match: VectorMatch, sorted: readonly VectorMatch[]): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    // Between 0 and the length, so there is one.
    if (compareMatches(sorted[middle] as VectorMatch, match) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
