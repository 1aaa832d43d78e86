import { abortedError, throwIfAborted } from '../../core/abort.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { IdPart } from '../../core/model/model.ts';
import { fullJitter, isOutage, type RetryPolicy } from '../../core/retry/index.ts';
import type { Change, KeyRange, Watch, WatchOptions } from '../../core/store.ts';
import type { Version } from '../../core/version.ts';
import type { RepositoryContext } from '../context.ts';
import { admit } from '../tenancy/admission.ts';

/**
 * What a watch tells.
 *
 * - `'start'`: from here on nothing is missed. Comes first, and again after `'lost'`: read then what you keep.
 * - `'lost'`: it has missed something, and is being started again. What you keep may be old until the next `'start'`.
 * - `'put'`, `'delete'`: an entity was written, or deleted. Several changes of one entity may be told as the last of them.
 */
export type EntityChange<Id = unknown> =
  | { readonly type: 'start' }
  | { readonly type: 'lost' }
  | { readonly type: 'put'; readonly id: Id; readonly version: Version }
  | { readonly type: 'delete'; readonly id: Id };

/** The changes of a watch, as they come. `return()`, `break` and disposing end it, also for whoever waits for the next. */
export interface EntityChanges<Id = unknown>
  extends AsyncIterableIterator<EntityChange<Id>, undefined>,
    AsyncDisposable {
  return(): Promise<IteratorResult<EntityChange<Id>, undefined>>;
}

type Step = IteratorResult<EntityChange, undefined>;

/** Between tries to start again, in milliseconds: until it works or its signal fires. */
const WAITS: RetryPolicy = {
  maxAttempts: Number.POSITIVE_INFINITY,
  deadline: Number.POSITIVE_INFINITY,
  base: 100,
  cap: 5_000,
};

/** Watches all entities of a repository, or one; what the store loses of it is told, and it goes on. */
export class EntityWatch implements EntityChanges {
  readonly #context: RepositoryContext;
  readonly #range: KeyRange;
  readonly #options: WatchOptions;
  readonly #ending = new AbortController();
  readonly #steps: AsyncGenerator<EntityChange, undefined>;
  #inner: Watch | undefined;
  #isOpened = false;

  /** `id`: of the one entity that it is about. */
  constructor(context: RepositoryContext, id: readonly IdPart[] | undefined, options: WatchOptions) {
    const { keys } = context;
    this.#context = context;
    this.#range = id === undefined ? keys.allRecords() : only(keys.record(id));
    this.#options = options;
    this.#steps = this.#run();
  }

  next(): Promise<Step> {
    return this.#steps.next();
  }

  async return(): Promise<Step> {
    this.#ending.abort();
    await this.#inner?.return();
    return this.#steps.return(undefined);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  async *#run(): AsyncGenerator<EntityChange, undefined> {
    const { signal } = this.#options;
    throwIfAborted(signal);
    const end = (): void => this.#ending.abort();
    signal?.addEventListener('abort', end, { once: true });
    try {
      while (!this.#ending.signal.aborted) yield* this.#untilLost();
    } catch (error) {
      if (signal?.aborted) throw abortedError(signal);
      // Whoever returned it wants to hear nothing more.
      if (!this.#ending.signal.aborted) throw error;
    } finally {
      signal?.removeEventListener('abort', end);
    }
    return undefined;
  }

  async *#untilLost(): AsyncGenerator<EntityChange, void> {
    const watch = await this.#open();
    this.#inner = watch;
    try {
      yield { type: 'start' };
      for await (const changes of watch) {
        await admit(this.#context, 'read', this.#options);
        for (const change of changes) yield this.#told(change);
      }
    } catch (error) {
      if (!NorimakiError.is(error, 'watch.lost')) throw error;
      yield { type: 'lost' };
    } finally {
      await watch.return();
    }
  }

  /** The first time fails as a read does; what has worked once is tried until it works again. */
  async #open(): Promise<Watch> {
    const { clock, random } = this.#context.environment;
    const { signal } = this.#ending;
    await admit(this.#context, 'read', this.#options);
    for (let attempt = 1; ; attempt++) {
      try {
        const watch = await this.#context.client.watch(this.#range, { ...this.#options, signal });
        this.#isOpened = true;
        return watch;
      } catch (error) {
        if (!this.#isOpened || !isOutage(error)) throw error;
        await clock.sleep(fullJitter(attempt, WAITS, random), { signal });
      }
    }
  }

  #told(change: Change): EntityChange {
    const { keys } = this.#context;
    const id = keys.idOf(keys.recordId(change.key));
    return change.type === 'put' ? { type: 'put', id, version: change.version } : { type: 'delete', id };
  }
}

/** The range of one key. */
function only(key: Uint8Array): KeyRange {
  return { start: key, end: Uint8Array.of(...key, 0) };
}

const OPTIONS: readonly string[] = ['buffer', 'signal'] satisfies (keyof WatchOptions)[];

/** Whether the only argument of `watch` is its options; an id of several parts is an object, too. */
export function isWatchOptions(given: unknown): given is WatchOptions | undefined {
  if (typeof given !== 'object' || given === null) return given === undefined;
  const isPlain = !(given instanceof Date || given instanceof Uint8Array);
  return isPlain && Object.keys(given).every((name) => OPTIONS.includes(name));
}
