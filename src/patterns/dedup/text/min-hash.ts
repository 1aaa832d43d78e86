import xxhash from 'xxhash-wasm';

const { h32, h64Raw } = await xxhash();

/** How a signature is cut: a pair of texts is compared if all rows of at least one band agree. */
export interface Banding {
  readonly bands: number;
  readonly rows: number;
}

/** Every bit of a number moves every bit of the result, and no two numbers meet: the finalizer of MurmurHash3. */
function mix(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

/** For each place the smallest of all shingles in an order of its own: two sets agree at a place as often as they are alike. */
function minHash(shingles: Iterable<string>, places: number): Uint32Array {
  const smallest = new Uint32Array(places).fill(0xffffffff);
  // One order for each place, the same in every process for ever.
  const orders = Int32Array.from({ length: places }, (_, place) => mix(Math.imul(place + 1, 0x9e3779b9)));
  for (const shingle of shingles) {
    const hash = h32(shingle);
    for (let place = 0; place < places; place++) {
      // Both indexes are below `places`.
      const rank = mix(mix(hash ^ (orders[place] as number)) + place) >>> 0;
      if (rank < (smallest[place] as number)) smallest[place] = rank;
    }
  }
  return smallest;
}

/** One name for each band of the signature of a set; none for an empty set, which is like no other. */
export function bandsOf(shingles: ReadonlySet<string>, { bands, rows }: Banding): string[] {
  if (shingles.size === 0) return [];
  const signature = minHash(shingles, bands * rows);
  return Array.from({ length: bands }, (_, band) => {
    const part = Buffer.alloc(rows * 4);
    for (let row = 0; row < rows; row++) part.writeUInt32LE(signature[band * rows + row] as number, row * 4); // as above
    return h64Raw(part, BigInt(band)).toString(36);
  });
}

/** How likely two texts of this similarity are never compared. */
export function missProbability(similarity: number, { bands, rows }: Banding): number {
  return (1 - similarity ** rows) ** bands;
}
