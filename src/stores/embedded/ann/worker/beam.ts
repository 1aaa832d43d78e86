import type { Turns } from './turns.ts';

/** Finds the labels of the `k` nearest to a query, `width` wide. */
type Look = (query: Float32Array, width: number, k: number) => Float64Array;

/** As wide as any search needs to be; what narrower ones are held against. */
const REFERENCE = 2048;
const WIDTHS = [16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536];
const SAMPLE = 32;
const NEAREST = 10;
/** What each one more that is asked for adds to the width. */
const WIDTH_OF_ONE_MORE = 3;
/** Share of the reference's nearest that a width may miss. The reference finds nearly all that there are. */
const MISSES = 0.005;
/** A space that grew by this is measured again. */
const GROWTH = 1.5;

/**
 * How wide a graph must be searched. That hangs on the data far more than on the size: for the same recall of 0.97
 * clustered vectors need 32, as many word vectors 768. So it is measured: the first searches are as wide as the
 * reference, and then the narrowest width is taken that finds the same.
 */
export class Beam {
  readonly #queries: Float32Array[] = [];
  #next = 0;
  #width = REFERENCE;
  #measuredAt = 0;
  #measuring = false;

  /** How wide to look for so many. The width is measured for the ten nearest; more of them take more. */
  widthFor(k: number): number {
    return this.#width + WIDTH_OF_ONE_MORE * Math.max(0, k - NEAREST);
  }

  /** Remembers the latest queries: what comes next is likely to be of their kind. */
  observe(query: Float32Array): void {
    this.#queries[this.#next] = query;
    this.#next = (this.#next + 1) % SAMPLE;
  }

  isDue(size: number): boolean {
    return !this.#measuring && this.#queries.length === SAMPLE && size > this.#measuredAt * GROWTH;
  }

  async measure(size: number, look: Look, turns: Turns): Promise<void> {
    this.#measuring = true;
    this.#measuredAt = size;
    try {
      const misses = WIDTHS.map(() => 0);
      for (const query of [...this.#queries]) {
        await turns.next();
        // One query in one turn: the graph may be another in the next.
        const nearest = look(query, REFERENCE, NEAREST);
        for (const [i, width] of WIDTHS.entries()) {
          const found = look(query, width, NEAREST);
          const missed = nearest.filter((label) => !found.includes(label)).length;
          // Wider ones find at least as much.
          if (missed === 0) break;
          misses[i] = (misses[i] as number) + missed;
        }
      }
      const narrowest = misses.findIndex((missed) => missed <= SAMPLE * NEAREST * MISSES);
      this.#width = WIDTHS[narrowest] ?? REFERENCE;
    } finally {
      this.#measuring = false;
    }
  }
}
