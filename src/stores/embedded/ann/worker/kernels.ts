/** Writes into `out` what it computes of the query and each of the first `count` rows. */
type Kernel = (query: Float32Array, rows: Float32Array, count: number, out: Float64Array) => void;

// Each kernel walks four rows at once, because one sum alone waits for itself at every step. A row is still summed in
// order and in 64-bit arithmetic, so that the results are those of `distance` in the core, bit for bit.
// No index misses: the rows have the length of the query.

export const dots: Kernel = (query, rows, count, out) => {
  const dimensions = query.length;
  const inFours = count - (count % 4);
  for (let row = 0; row < inFours; row += 4) {
    const first = row * dimensions;
    const second = first + dimensions;
    const third = second + dimensions;
    const fourth = third + dimensions;
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let i = 0; i < dimensions; i++) {
      const x = query[i] as number;
      a += x * (rows[first + i] as number);
      b += x * (rows[second + i] as number);
      c += x * (rows[third + i] as number);
      d += x * (rows[fourth + i] as number);
    }
    out[row] = a;
    out[row + 1] = b;
    out[row + 2] = c;
    out[row + 3] = d;
  }
  for (let row = inFours; row < count; row++) {
    const start = row * dimensions;
    let sum = 0;
    for (let i = 0; i < dimensions; i++) sum += (query[i] as number) * (rows[start + i] as number);
    out[row] = sum;
  }
};

export const squaredDistances: Kernel = (query, rows, count, out) => {
  const dimensions = query.length;
  const inFours = count - (count % 4);
  for (let row = 0; row < inFours; row += 4) {
    const first = row * dimensions;
    const second = first + dimensions;
    const third = second + dimensions;
    const fourth = third + dimensions;
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let i = 0; i < dimensions; i++) {
      const x = query[i] as number;
      const [p, q] = [x - (rows[first + i] as number), x - (rows[second + i] as number)];
      const [r, s] = [x - (rows[third + i] as number), x - (rows[fourth + i] as number)];
      a += p * p;
      b += q * q;
      c += r * r;
      d += s * s;
    }
    out[row] = a;
    out[row + 1] = b;
    out[row + 2] = c;
    out[row + 3] = d;
  }
  for (let row = inFours; row < count; row++) {
    const start = row * dimensions;
    let sum = 0;
    for (let i = 0; i < dimensions; i++) {
      const difference = (query[i] as number) - (rows[start + i] as number);
      sum += difference * difference;
    }
    out[row] = sum;
  }
};

/** Squared norms below this count as zero: a direction made of rounding is none. As in the core. */
export const ZERO = 1e-24;

export function squaredNorm(vectors: Float32Array, start: number, dimensions: number): number {
  let sum = 0;
  for (let i = start; i < start + dimensions; i++) {
    const x = vectors[i] as number;
    sum += x * x;
  }
  return sum;
}
