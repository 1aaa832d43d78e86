/** How often keys were asked for lately, roughly, in a few bytes each: a count-min sketch whose counts fade. */
export class FrequencySketch {
  readonly #rows: Uint8Array;
  readonly #mask: number;
  readonly #width: number;
  readonly #sampleSize: number;
  #additions = 0;

  /** For so many keys at once. */
  constructor(keys: number) {
    this.#width = 2 ** Math.ceil(Math.log2(Math.max(keys, 16)));
    this.#mask = this.#width - 1;
    this.#rows = new Uint8Array(this.#width * DEPTH);
    this.#sampleSize = this.#width * 10;
  }

  /** `hash`: 32 bits. */
  add(hash: number): void {
    const rows = this.#rows;
    let isAdded = false;
    for (let row = 0; row < DEPTH; row++) {
      const at = this.#at(hash, row);
      // In bounds: masked by the width.
      const count = rows[at] as number;
      if (count >= MAX_COUNT) continue;
      rows[at] = count + 1;
      isAdded = true;
    }
    if (!isAdded) return;
    this.#additions += 1;
    if (this.#additions >= this.#sampleSize) this.#fade();
  }

  /** From 0 to 15; never too low. */
  estimate(hash: number): number {
    let least = MAX_COUNT;
    // In bounds, as above.
    for (let row = 0; row < DEPTH; row++) least = Math.min(least, this.#rows[this.#at(hash, row)] as number);
    return least;
  }

  #at(hash: number, row: number): number {
    // In bounds: there is a seed for each row.
    const mixed = Math.imul(hash ^ (hash >>> 16), SEEDS[row] as number);
    return row * this.#width + ((mixed ^ (mixed >>> 15)) & this.#mask);
  }

  #fade(): void {
    const rows = this.#rows;
    for (let at = 0; at < rows.length; at++) rows[at] = (rows[at] as number) >>> 1; // in bounds
    this.#additions >>>= 1;
  }
}

const DEPTH = 4;
const MAX_COUNT = 15;
/** Odd, so that multiplying by them loses no bit. */
const SEEDS = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f];

/** 32 bits of a key. The seed keeps others from choosing keys that collide. */
export function hashOf(key: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return hash ^ (hash >>> 13);
}
