import { missingIndex } from '../../../core/vectors/index.ts';
import { type AnnSearchOptions, type AnnSnapshot, type AnnSpace, AnnSpaceLost, type AnnStats } from '../ann/index.ts';
import { closedError } from '../failures.ts';
import type { SpaceInfo } from './layout.ts';
import { type Position, rowsAtOnce, type VectorReader } from './vector-reader.ts';

/**
 * The vectors of one space in memory, where they can be searched, and up to where they follow LMDB. What is posted to
 * the thread takes effect in order, so a search sees all that was posted before it.
 */
export class Replica {
  readonly #reader: () => VectorReader;
  readonly #namespace: string;
  readonly #info: SpaceInfo;
  readonly #space: AnnSpace;
  #position: Position;
  #removed = 0;
  #hasGap = false;
  #posted: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  #slice: Promise<void> | undefined;
  #saving: Promise<unknown> | undefined;
  #users = 0;
  #isRetired = false;

  constructor(reader: () => VectorReader, namespace: string, info: SpaceInfo, space: AnnSpace, position: Position) {
    this.#reader = reader;
    this.#namespace = namespace;
    this.#info = info;
    this.#space = space;
    this.#position = position;
  }

  /** All before it has been seen. */
  get position(): number {
    return Math.min(this.#position.vectors, this.#position.removals);
  }

  /** Removals that were passed on so far. */
  get removed(): number {
    return this.#removed;
  }

  /** Some removals can no longer be learnt of: what they removed is still here, and must be dropped from each result. */
  get hasGap(): boolean {
    return this.#hasGap;
  }

  /** What is here is no longer what LMDB has: to be thrown away. */
  get isBroken(): boolean {
    return this.#failure !== undefined;
  }

  /** Sees all before `target`, slice by slice; whoever waits for the same slices shares them. */
  async reach(target: number): Promise<void> {
    while (this.position < target) {
      this.#slice ??= this.#advance().finally(() => {
        this.#slice = undefined;
      });
      await this.#slice;
    }
  }

  /** Resolves once the thread has taken in all that was seen. */
  async settled(): Promise<void> {
    await this.#posted;
    this.#throwIfBroken();
  }

  /** Labels of up to `k` and some to spare that are near, of what was seen so far. */
  async search(query: Float32Array, k: number, options: AnnSearchOptions): Promise<Float64Array> {
    return this.#using(async () => {
      const posted = this.#posted;
      const labels = await this.#space.search(query, k, options);
      await posted;
      this.#throwIfBroken();
      return labels;
    });
  }

  stats(): Promise<AnnStats> {
    return this.#using(() => this.#space.stats());
  }

  /** Position of what was saved, too. */
  async save(path: string): Promise<{ position: Position; saved: AnnSnapshot }> {
    return this.#using(async () => {
      const [position, posted] = [this.#position, this.#posted];
      // A space begins to save a little after it was asked to: until it is done, nothing may be posted behind `position`.
      const saving = this.#space.save(path);
      this.#saving = saving.catch(() => {});
      try {
        const saved = await saving;
        await posted;
        this.#throwIfBroken();
        return { position, saved };
      } finally {
        this.#saving = undefined;
      }
    });
  }

  /** Lets go of it as soon as nobody uses it. */
  retire(): void {
    this.#isRetired = true;
    if (this.#users === 0) this.#close();
  }

  /** Reads one slice and posts it. Waits for the thread only when there is more to come. */
  async #advance(): Promise<void> {
    await this.#saving;
    if (this.#isRetired) throw closedError();
    this.#throwIfBroken();
    const limit = rowsAtOnce(this.#info.options);
    const changes = this.#reader().changes(this.#namespace, this.#info.id, this.#position, limit);
    if (changes === undefined) throw missingIndex(this.#namespace);
    const { labels, vectors, removed } = changes;
    const isFull = labels.length === limit || removed.length === limit;
    this.#removed += removed.length;
    if (labels.length > 0) this.#post(this.#space.add(labels, vectors));
    if (removed.length > 0) this.#post(this.#space.remove(removed));
    this.#position = changes.position;
    this.#hasGap ||= changes.hasGap;
    if (isFull) await this.settled();
  }

  #post(call: Promise<void>): void {
    const noted = call.catch((error: unknown) => {
      this.#failure ??= { error };
    });
    this.#posted = Promise.all([this.#posted, noted]).then(() => {});
  }

  async #using<T>(work: () => Promise<T>): Promise<T> {
    this.#throwIfBroken();
    this.#users += 1;
    try {
      return await work();
    } catch (error) {
      if (error instanceof AnnSpaceLost) this.#failure ??= { error };
      throw error;
    } finally {
      this.#users -= 1;
      if (this.#isRetired && this.#users === 0) this.#close();
    }
  }

  #throwIfBroken(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Closing what has died is no news. */
  #close(): void {
    this.#space.close().catch(() => {});
  }
}
