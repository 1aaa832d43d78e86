import { Failure } from '../failure.ts';
import type { AnnSnapshot, AnnSpaceOptions, AnnStats } from '../types.ts';
import { Flat } from './flat.ts';
import { Graph, graphSlice } from './graph.ts';
import { checkWritten, LAYOUT, readFlat, readGraph, writeFlat, writeGraph } from './snapshot.ts';
import type { Turns } from './turns.ts';
import type { GuardedUsearch } from './usearch.ts';

/**
 * Numbers that a search may look at one by one: up to here that takes 2 to 4 ms, finds all, and adding costs nothing.
 * Each vector counts a little more than its numbers. Measured: `npm run bench -- ann`.
 */
const SCANNABLE = 2 ** 21;
const EACH = 8;
/** Numbers that are put side by side in one turn, about 2 ms; a vector takes as long as so many more. */
const PUT = 2 ** 19;
const EACH_PUT = 128;
/** Labels that are removed from a graph in one turn. */
const REMOVALS = 4096;

/**
 * Vectors of one namespace. A small space is scanned; one that outgrows that moves into a graph, slice by slice, while the
 * scan goes on answering. It does not shrink back: usearch does not give vectors back. Calls run one after the other.
 */
export class Space {
  readonly #options: AnnSpaceOptions;
  readonly #loadUsearch: () => GuardedUsearch;
  readonly #turns: Turns;
  readonly #scannable: number;
  readonly #slice: number;
  /** Gone when the graph holds everything. */
  #flat: Flat | undefined;
  #graph: Graph | undefined;
  #last: Promise<unknown> = Promise.resolve();
  /** Why no further call can be answered. */
  #end: Error | undefined;

  constructor(
    options: AnnSpaceOptions,
    loadUsearch: () => GuardedUsearch,
    turns: Turns,
    scannable = SCANNABLE,
    slice = graphSlice(options.dimensions),
  ) {
    this.#options = options;
    this.#loadUsearch = loadUsearch;
    this.#turns = turns;
    this.#scannable = Math.floor(scannable / (options.dimensions + EACH));
    this.#slice = slice;
    this.#flat = this.#newFlat();
  }

  add(labels: Float64Array, vectors: Float32Array): Promise<void> {
    return this.#inTurn(async () => {
      // Before anything is added: without usearch nothing shall be.
      if (this.#graph === undefined && this.#isTooMany(this.#stats().size + labels.length)) this.#startGraph();
      await this.#changing(() => this.#add(labels, vectors));
    });
  }

  remove(labels: Float64Array): Promise<void> {
    return this.#inTurn(() =>
      this.#changing(async () => {
        this.#flat?.remove(labels);
        for (let from = 0; from < labels.length; from += REMOVALS) {
          if (from > 0) await this.#nextTurn();
          this.#graph?.remove(labels.subarray(from, from + REMOVALS));
        }
      }),
    );
  }

  search(query: Float32Array, k: number, spare: number, isWanted: () => boolean): Promise<Float64Array> {
    return this.#inTurn(async () => {
      if (!isWanted()) throw new Failure('failed', 'The search was cancelled.');
      if (this.#flat !== undefined) return (await this.#flat.search(query, k + spare, this.#turns)).labels;
      // Without vectors side by side, all are in the graph.
      const graph = this.#graph as Graph;
      const found = graph.search(query, k, spare);
      this.#inBackground(() => graph.tune(this.#turns));
      return found;
    });
  }

  stats(): Promise<AnnStats> {
    return this.#inTurn(async () => this.#stats());
  }

  async save(path: string): Promise<AnnSnapshot> {
    const { size, dead, kind } = await this.#inTurn(async () => {
      // As of now: while it is written, the last vectors may move.
      const now = this.#stats();
      if (this.#flat !== undefined) await writeFlat(path, this.#flat);
      else if (this.#graph !== undefined) await writeGraph(path, this.#graph);
      return now;
    });
    // Others need not wait for this.
    const { dimensions, metric } = this.#options;
    return { size, dead, kind, ...(await checkWritten(path, kind)), dimensions, metric, layout: LAYOUT };
  }

  load(path: string, expected: AnnSnapshot): Promise<boolean> {
    return this.#inTurn(async () => {
      const { dimensions, metric, type } = this.#options;
      if (expected.layout !== LAYOUT || expected.dimensions !== dimensions || expected.metric !== metric) return false;
      if (expected.kind === 'exact') {
        if (this.#isTooMany(expected.size)) this.#loadUsearch();
        const flat = await readFlat(path, expected, this.#newFlat());
        if (flat === undefined) return false;
        [this.#flat, this.#graph] = [flat, undefined];
        if (this.#isTooMany(flat.size)) this.#startGraph();
        return true;
      }
      if (type === 'exact') return false;
      const graph = await readGraph(path, expected, new Graph(this.#loadUsearch(), dimensions, metric));
      if (graph === undefined) return false;
      [this.#flat, this.#graph] = [undefined, graph];
      return true;
    });
  }

  /** Lets go of everything; what waits fails. */
  close(): void {
    this.#end ??= new Failure('closed', 'The space is closed.');
    this.#flat = undefined;
    this.#graph = undefined;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    // Also a short call waits for a turn: a thread that answered at once whatever arrives would get to nothing else.
    const result = this.#last.then(async () => {
      await this.#nextTurn();
      return work();
    });
    this.#last = result.catch(() => {});
    return result;
  }

  /** After a change that failed half way nobody knows what the space holds: it answers nothing any more. */
  async #changing(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#end ??= error as Error;
      throw error;
    }
  }

  async #add(labels: Float64Array, vectors: Float32Array): Promise<void> {
    const { dimensions } = this.#options;
    for (let from = 0; from < labels.length; ) {
      if (from > 0) await this.#nextTurn();
      // What waits to move is put down at once, so that nobody who searches waits for the graph.
      const count = this.#flat === undefined ? this.#slice : Math.floor(PUT / (dimensions + EACH_PUT));
      const to = Math.min(from + count, labels.length);
      const [some, rows] = [labels.subarray(from, to), vectors.subarray(from * dimensions, to * dimensions)];
      if (this.#flat === undefined) this.#graph?.add(some, rows);
      else this.#flat.add(some, rows);
      from = to;
    }
  }

  /** Moves the next slice into the graph; what is scanned goes when all have moved. */
  #move(flat: Flat, graph: Graph): void {
    if (flat.untaken === 0) {
      this.#flat = undefined;
      return;
    }
    const { labels, vectors } = flat.take(this.#slice);
    graph.add(labels, vectors);
  }

  #startGraph(): void {
    const graph = new Graph(this.#loadUsearch(), this.#options.dimensions, this.#options.metric);
    this.#graph = graph;
    this.#inBackground(() =>
      this.#changing(async () => {
        while (this.#flat !== undefined && this.#graph === graph) {
          await this.#nextTurn();
          // Another call may have put others in their place meanwhile.
          if (this.#flat !== undefined && this.#graph === graph) this.#move(this.#flat, graph);
        }
      }),
    );
  }

  /** What fails there shows at the next call. */
  #inBackground(work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      this.#end ??= error as Error;
    });
  }

  async #nextTurn(): Promise<void> {
    await this.#turns.next();
    this.#throwIfEnded();
  }

  #throwIfEnded(): void {
    if (this.#end !== undefined) throw this.#end;
  }

  /** To be scanned. */
  #isTooMany(size: number): boolean {
    return this.#options.type === 'hnsw' && size > this.#scannable;
  }

  #stats(): AnnStats {
    if (this.#flat !== undefined) {
      const stats = { size: this.#flat.size, dead: 0, kind: 'exact' } as const;
      return this.#graph === undefined ? stats : { ...stats, isMoving: true };
    }
    return { size: this.#graph?.size ?? 0, dead: this.#graph?.dead ?? 0, kind: 'hnsw' };
  }

  #newFlat(): Flat {
    return new Flat(this.#options.dimensions, this.#options.metric);
  }
}
