import { availableParallelism } from 'node:os';
import type { Metric } from '../../../../core/vectors/index.ts';
import { type NativeGate, throughGate } from '../native-gate.ts';
import { Beam } from './beam.ts';
import { squaredNorm, ZERO } from './kernels.ts';
import type { Turns } from './turns.ts';
import type { GuardedUsearch, UsearchIndex } from './usearch.ts';

/** One core is left to the thread of the user. */
const THREADS = Math.max(1, Math.min(8, availableParallelism() - 1));
const CONNECTIVITY = 16;
const EXPANSION_ADD = 64;

/** Vectors that are added at once: about 10 ms of work on each thread. */
export function graphSlice(dimensions: number): number {
  return THREADS * Math.min(128, Math.max(4, Math.floor(16_384 / (dimensions + 128))));
}

/** usearch's graph of neighbours: finds nearly all of the nearest, and much faster than looking at every vector. */
export class Graph {
  readonly #dimensions: number;
  readonly #metric: Metric;
  readonly #index: UsearchIndex;
  readonly #gate: NativeGate;
  readonly #beam = new Beam();
  #dead = 0;

  constructor({ usearch, gate }: GuardedUsearch, dimensions: number, metric: Metric) {
    this.#dimensions = dimensions;
    this.#metric = metric;
    this.#gate = gate;
    const options = {
      dimensions,
      // Directions are made one long before they get here, which makes their dot product the cosine.
      metric: metric === 'euclidean' ? 'l2sq' : 'ip',
      // Of numbers up to one, half the bits are enough to tell who is near, and half the memory to read is a third less
      // time. Who is nearest is measured again from what LMDB has.
      quantization: metric === 'cosine' ? 'f16' : 'f32',
      connectivity: CONNECTIVITY,
      expansion_add: EXPANSION_ADD,
      // usearch searches as wide as this or as what it is asked for, whichever is more: so the latter decides.
      expansion_search: 1,
    } as const;
    this.#index = throughGate(gate, () => new usearch.Index(options));
  }

  get size(): number {
    return this.#call((index) => index.size());
  }

  get dimensions(): number {
    return this.#call((index) => index.dimensions());
  }

  /** Vectors that were removed; each gives its place to one that is added. */
  get dead(): number {
    return this.#dead;
  }

  add(labels: Float64Array, vectors: Float32Array): void {
    const [keys, rows] = [keysOf(labels), this.#prepared(vectors)];
    this.#call((index) => index.add(keys, rows, THREADS));
    this.#dead = Math.max(0, this.#dead - labels.length);
  }

  remove(labels: Float64Array): void {
    if (labels.length === 0) return;
    const keys = keysOf(labels);
    for (const removed of [this.#call((index) => index.remove(keys))].flat()) this.#dead += removed;
  }

  search(query: Float32Array, k: number, spare: number): Float64Array {
    const prepared = this.#prepared(query);
    const labels = this.#look(prepared, Math.max(k + spare, this.#beam.widthFor(k)), k + spare);
    this.#beam.observe(prepared);
    return labels;
  }

  /** Finds out how wide to search, if there is reason to. */
  async tune(turns: Turns): Promise<void> {
    if (!this.#beam.isDue(this.size)) return;
    await this.#beam.measure(this.size, (query, width, k) => this.#look(query, width, k), turns);
  }

  save(path: string): void {
    this.#call((index) => index.save(path));
  }

  /** Only of a file that is known to be whole: usearch ends the process on any other. */
  load(path: string, dead: number): void {
    this.#call((index) => index.load(path));
    this.#dead = dead;
  }

  #call<T>(call: (index: UsearchIndex) => T): T {
    return throughGate(this.#gate, () => call(this.#index));
  }

  /** The labels of the `k` nearest that a search of a width finds. */
  #look(prepared: Float32Array, width: number, k: number): Float64Array {
    const count = Math.min(width, this.size);
    if (count === 0) return new Float64Array();
    const { keys } = this.#call((index) => index.search(prepared, count, 1));
    return Float64Array.from(keys.subarray(0, k), Number);
  }

  /** A copy as usearch shall see it: for `cosine` of length one, or zero where there is no direction. */
  #prepared(vectors: Float32Array): Float32Array {
    const copy = vectors.slice();
    if (this.#metric !== 'cosine') return copy;
    for (let start = 0; start < copy.length; start += this.#dimensions) {
      const norm = squaredNorm(copy, start, this.#dimensions);
      const scale = norm < ZERO ? 0 : 1 / Math.sqrt(norm);
      for (let i = start; i < start + this.#dimensions; i++) copy[i] = (copy[i] as number) * scale;
    }
    return copy;
  }
}

function keysOf(labels: Float64Array): BigUint64Array {
  return BigUint64Array.from(labels, BigInt);
}
