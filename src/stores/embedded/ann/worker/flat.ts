import type { Metric } from '../../../../core/vectors/index.ts';
import { dots, squaredDistances, squaredNorm, ZERO } from './kernels.ts';
import { type Candidates, Nearest } from './nearest.ts';
import type { Turns } from './turns.ts';

/** Numbers in a block of vectors; blocks rather than one array, because growing that one would copy it. */
const BLOCK = 2 ** 18;
/** Numbers that a search looks at in one turn: about 10 ms. */
const SCAN = 2 ** 24;

interface Block {
  readonly labels: Float64Array;
  readonly vectors: Float32Array;
  readonly norms: Float64Array;
}

/** Vectors side by side; a search looks at each of them. */
export class Flat {
  readonly #dimensions: number;
  readonly #metric: Metric;
  readonly #rows: number;
  readonly #blocks: Block[] = [];
  readonly #rowOf = new Map<number, number>();
  #taken = 0;

  constructor(dimensions: number, metric: Metric, block = BLOCK) {
    this.#dimensions = dimensions;
    this.#metric = metric;
    this.#rows = Math.max(1, Math.floor(block / dimensions));
  }

  get size(): number {
    return this.#rowOf.size;
  }

  /** Vectors in a full block. */
  get rowsOfBlock(): number {
    return this.#rows;
  }

  /** Vectors that {@link Flat.take} has not given yet. */
  get untaken(): number {
    return this.size - this.#taken;
  }

  add(labels: Float64Array, vectors: Float32Array): void {
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i] as number;
      if (this.#rowOf.has(label)) throw new Error('A label was added twice.');
      const row = this.size;
      if (row === this.#blocks.length * this.#rows) this.#blocks.push(this.#newBlock());
      const { block, at } = this.#locate(row);
      block.labels[at] = label;
      block.vectors.set(vectors.subarray(i * this.#dimensions, (i + 1) * this.#dimensions), at * this.#dimensions);
      if (this.#metric === 'cosine') block.norms[at] = squaredNorm(vectors, i * this.#dimensions, this.#dimensions);
      this.#rowOf.set(label, row);
    }
  }

  remove(labels: Float64Array): void {
    for (const label of labels) {
      let row = this.#rowOf.get(label);
      if (row === undefined) continue;
      // What was taken stays in front: its last row fills the gap and leaves one where the others begin.
      if (row < this.#taken) {
        this.#taken--;
        this.#move(this.#taken, row);
        row = this.#taken;
      }
      this.#move(this.size - 1, row);
      this.#rowOf.delete(label);
      if (this.size <= (this.#blocks.length - 1) * this.#rows) this.#blocks.pop();
    }
  }

  async search(query: Float32Array, k: number, turns: Turns): Promise<Candidates> {
    const nearest = new Nearest(k);
    const out = new Float64Array(this.#rows);
    const norm = squaredNorm(query, 0, query.length);
    let seen = 0;
    for (let from = 0; from < this.size; from += this.#rows) {
      if (seen >= SCAN) {
        await turns.next();
        seen = 0;
      }
      // One of those that hold the rows below `size`.
      const block = this.#blocks[from / this.#rows] as Block;
      const count = Math.min(this.#rows, this.size - from);
      this.#measure(query, norm, block, count, out);
      for (let i = 0; i < count; i++) nearest.offer(block.labels[i] as number, out[i] as number);
      seen += count * this.#dimensions;
    }
    return nearest.take();
  }

  /** The next rows that were not taken yet, at most so many; fewer at the end of a block. Views of what is held. */
  take(count: number): { labels: Float64Array; vectors: Float32Array } {
    const { block, at } = this.#locate(this.#taken);
    const end = Math.min(at + Math.min(count, this.untaken), this.#rows);
    this.#taken += end - at;
    return {
      labels: block.labels.subarray(at, end),
      vectors: block.vectors.subarray(at * this.#dimensions, end * this.#dimensions),
    };
  }

  /** All that it holds, block by block, as views. */
  *blocks(): Generator<{ labels: Float64Array; vectors: Float32Array }> {
    for (const [i, block] of this.#blocks.entries()) {
      const count = Math.min(this.#rows, this.size - i * this.#rows);
      yield { labels: block.labels.subarray(0, count), vectors: block.vectors.subarray(0, count * this.#dimensions) };
    }
  }

  #measure(query: Float32Array, norm: number, { vectors, norms }: Block, count: number, out: Float64Array): void {
    if (this.#metric === 'euclidean') {
      squaredDistances(query, vectors, count, out);
      for (let i = 0; i < count; i++) out[i] = Math.sqrt(out[i] as number);
      return;
    }
    dots(query, vectors, count, out);
    for (let i = 0; i < count; i++) {
      const [dot, other] = [out[i] as number, norms[i] as number];
      if (this.#metric === 'innerProduct') out[i] = -dot;
      else if (norm < ZERO || other < ZERO) out[i] = 1;
      else out[i] = Math.min(2, Math.max(0, 1 - dot / Math.sqrt(norm * other)));
    }
  }

  #move(from: number, to: number): void {
    if (from === to) return;
    const [source, target] = [this.#locate(from), this.#locate(to)];
    const label = source.block.labels[source.at] as number;
    const start = source.at * this.#dimensions;
    target.block.labels[target.at] = label;
    target.block.norms[target.at] = source.block.norms[source.at] as number;
    target.block.vectors.set(
      source.block.vectors.subarray(start, start + this.#dimensions),
      target.at * this.#dimensions,
    );
    this.#rowOf.set(label, to);
  }

  #locate(row: number): { block: Block; at: number } {
    // Callers ask for rows that there are.
    return { block: this.#blocks[Math.floor(row / this.#rows)] as Block, at: row % this.#rows };
  }

  #newBlock(): Block {
    return {
      labels: new Float64Array(this.#rows),
      vectors: new Float32Array(this.#rows * this.#dimensions),
      norms: new Float64Array(this.#rows),
    };
  }
}
