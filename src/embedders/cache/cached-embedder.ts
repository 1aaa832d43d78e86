import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { orAborted, throwIfAborted } from '../../core/abort.ts';
import type { Embedded, Embedder, EmbedOptions } from '../../core/embedder.ts';
import { NorimakiError } from '../../core/errors.ts';
import { type Answer, checkAnswers } from '../answers.ts';
import { positiveInteger } from '../options.ts';
import type { EmbeddingCacheStore } from './cache-store.ts';
import { type Counter, type EmbeddingCounts, newCounter } from './counts.ts';
import { Flight, Group } from './flight.ts';

export interface CacheOptions {
  /** Bytes of memory for vectors; the least recently used are forgotten. `0` remembers nothing. Default 64 MiB. */
  readonly capacity?: number | undefined;
  /** Remembers beyond the life of the process, as {@link storeCache} does in any store. */
  readonly store?: EmbeddingCacheStore | undefined;
  /** At most so many texts in one call of the embedder. Default 256. */
  readonly maxTexts?: number | undefined;
}

/** An embedder that remembers: see {@link cachedEmbedder}. */
export interface CachedEmbedder extends Embedder {
  readonly counts: EmbeddingCounts;
}

const DEFAULT_CAPACITY = 64 * 1024 * 1024;
const DEFAULT_TEXTS = 256;
/** What an entry of the cache takes beside the numbers of its vector, about. */
const ENTRY_BYTES = 256;

/** One text at a time: {@link Cached.embedOne}. What asks in one turn of the event loop travels together. */
export class Cached implements CachedEmbedder {
  readonly id: string;
  readonly dimensions: number;
  readonly #embedder: Embedder;
  readonly #memory: LRUCache<string, Float32Array> | undefined;
  readonly #store: EmbeddingCacheStore | undefined;
  readonly #maxTexts: number;
  readonly #counts: Counter = newCounter();
  readonly #flights = new Map<string, Flight>();
  /** Takes on flights until the end of the turn, or until it is full. */
  #boarding: Group | undefined;

  constructor(embedder: Embedder, { capacity = DEFAULT_CAPACITY, store, maxTexts = DEFAULT_TEXTS }: CacheOptions = {}) {
    this.id = embedder.id;
    this.dimensions = embedder.dimensions;
    this.#embedder = embedder;
    this.#store = store;
    this.#maxTexts = positiveInteger('maxTexts', maxTexts);
    if (capacity !== 0) {
      this.#memory = new LRUCache({
        maxSize: positiveInteger('capacity', capacity),
        sizeCalculation: ({ byteLength }) => byteLength + ENTRY_BYTES,
      });
    }
  }

  get counts(): EmbeddingCounts {
    return { ...this.#counts };
  }

  async embed(texts: readonly string[], options: EmbedOptions = {}): Promise<readonly Embedded[]> {
    const settled = await Promise.allSettled(texts.map((text) => this.embedOne(text, options)));
    throwIfAborted(options.signal);
    const answers = settled.map((one) => (one.status === 'fulfilled' ? one.value : one.reason));
    // What embedOne throws is an error of ours, or a defect of ours that must not pass for an answer.
    const defect = answers.find((answer) => !(answer instanceof Float32Array || answer instanceof NorimakiError));
    if (defect !== undefined) throw defect;
    return answers;
  }

  /** The vector of one text, the caller's own. Errors: those of the embedder, `aborted`. */
  async embedOne(text: string, { signal }: EmbedOptions = {}): Promise<Float32Array> {
    throwIfAborted(signal);
    this.#counts.requested++;
    const key = this.#keyOf(text);
    const known = this.#memory?.get(key);
    if (known !== undefined) {
      this.#counts.saved++;
      return known.slice();
    }
    const shared = this.#flights.get(key);
    const flight = shared ?? this.#board(key, text);
    flight.join();
    try {
      const vector = await orAborted(flight.landed, signal);
      if (shared !== undefined || flight.isFree) this.#counts.saved++;
      return vector.slice();
    } finally {
      flight.leave();
      if (flight.group.signal.aborted) this.#giveUp(flight.group);
    }
  }

  #keyOf(text: string): string {
    // As JSON, so that no id and text read like another pair, not even where the text is no Unicode.
    return createHash('sha256')
      .update(JSON.stringify([this.id, text]))
      .digest('hex');
  }

  #board(key: string, text: string): Flight {
    let group = this.#boarding;
    if (group === undefined || group.flights.length >= this.#maxTexts) {
      group = new Group();
      this.#boarding = group;
      this.#depart(group);
    }
    const flight = new Flight(key, text, group);
    this.#flights.set(key, flight);
    return flight;
  }

  /** At the end of the turn: when every promise that could settle by itself has settled. */
  #depart(group: Group): void {
    void Promise.resolve().then(() =>
      process.nextTick(() => {
        if (this.#boarding === group) this.#boarding = undefined;
        void this.#travel(group);
      }),
    );
  }

  /** Never rejects: whatever happens reaches those who wait. */
  async #travel(group: Group): Promise<void> {
    const wanted = group.flights.filter(({ isWanted }) => isWanted);
    for (const flight of group.flights) if (!flight.isWanted) this.#forget(flight);
    const unknown = await this.#recall(wanted);
    if (unknown.length > 0 && !group.signal.aborted) await this.#call(unknown, group);
  }

  /** Answers what the store remembers; returns the rest. */
  async #recall(flights: readonly Flight[]): Promise<readonly Flight[]> {
    if (this.#store === undefined || flights.length === 0) return flights;
    let known: readonly (Float32Array | undefined)[] = [];
    try {
      known = await this.#store.get(flights.map(({ key }) => key));
    } catch {
      this.#counts.storeFailed++;
    }
    return flights.filter((flight, i) => {
      const [vector] = checkAnswers(this, [flight.text], [known[i] ?? []]);
      // Missing or of another length: as if it were not there.
      if (!(vector instanceof Float32Array)) return true;
      flight.isFree = true;
      this.#land(flight, vector);
      return false;
    });
  }

  async #call(flights: readonly Flight[], { signal }: Group): Promise<void> {
    this.#counts.calls++;
    this.#counts.called += flights.length;
    const texts = flights.map(({ text }) => text);
    let answers: readonly Answer[];
    try {
      answers = checkAnswers(this, texts, await this.#embedder.embed(texts, { signal }));
    } catch (error) {
      const failure = this.#failure(error);
      answers = texts.map(() => failure);
    }
    await this.#remember(flights, answers);
    for (const [i, flight] of flights.entries()) {
      // One answer for each: checkAnswers counts them.
      const answer = answers[i] as Answer;
      if (answer instanceof Float32Array) this.#land(flight, answer);
      else {
        if (!signal.aborted) this.#counts.failed++;
        this.#forget(flight);
        flight.fail(answer);
      }
    }
  }

  async #remember(flights: readonly Flight[], answers: readonly Answer[]): Promise<void> {
    const entries = flights.flatMap(({ key }, i) => {
      const vector = answers[i];
      return vector instanceof Float32Array ? [{ key, vector }] : [];
    });
    if (this.#store === undefined || entries.length === 0) return;
    try {
      await this.#store.set(entries);
    } catch {
      this.#counts.storeFailed++;
    }
  }

  #land(flight: Flight, vector: Float32Array): void {
    this.#memory?.set(flight.key, vector);
    this.#forget(flight);
    flight.land(vector);
  }

  /** Whoever comes next does not join what was given up. */
  #giveUp(group: Group): void {
    for (const flight of group.flights) this.#forget(flight);
    if (this.#boarding === group) this.#boarding = undefined;
  }

  #forget(flight: Flight): void {
    if (this.#flights.get(flight.key) === flight) this.#flights.delete(flight.key);
  }

  #failure(error: unknown): NorimakiError {
    if (error instanceof NorimakiError) return error;
    return new NorimakiError(
      'embedder.unavailable',
      `The embedder ${this.id} failed with an error that is not of norimaki; see its cause. An embedder throws embedder.unavailable or embedder.rejected.`,
      { embedder: this.id },
      { cause: error },
    );
  }
}

/**
 * Never pays twice for a text that it remembers. Requests for one text share one call, and requests that come in the
 * same turn of the event loop travel together. A caller that gives up leaves the others alone; what failed is not
 * remembered, and a cache that fails costs a call and nothing else.
 *
 * @example
 * ```ts
 * const embedder = cachedEmbedder(openAiCompatible({ url, model, dimensions: 1536 }), { capacity: 256 * 1024 * 1024 });
 * ```
 */
export function cachedEmbedder(embedder: Embedder, options?: CacheOptions): CachedEmbedder {
  return new Cached(embedder, options);
}
