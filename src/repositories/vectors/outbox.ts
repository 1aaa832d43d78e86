import { MAX_PAGE } from '../../core/checks.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { KeyRange, ReadOptions } from '../../core/store.ts';
import type { RepositoryContext } from '../context.ts';
import { admit } from '../tenancy/admission.ts';
import type { Progress } from '../verbs/bulk.ts';
import { type Page, readPage } from '../verbs/pages.ts';
import { deleteEntry, itemOf, type OutboxItem, replaceEntry } from './outbox-item.ts';
import type { OutboxWorker } from './outbox-worker.ts';

/** How many entities wait for their vectors. */
export interface OutboxCounts {
  /** They will be made without anybody's help. */
  readonly waiting: number;
  /** Given up: see {@link Outbox.deadLetters}. */
  readonly dead: number;
  /** When the oldest text that waits was saved. */
  readonly oldest: Date | undefined;
}

/** An entity whose text could not be embedded. Nothing tries again until `retry`, or a save of another text. */
export interface DeadLetter<Id = unknown> {
  readonly id: Id;
  /** When the text was saved. */
  readonly since: Date;
  readonly attempts: number;
  /** Of the last failure; the text is not in it. */
  readonly code: string;
  readonly message: string;
}

export interface DeadLetterOptions {
  /** At most so many in the page; default 100. */
  readonly limit?: number | undefined;
  /** Where the page before ended. */
  readonly cursor?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface DrainOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called after each batch; `failed` counts new dead letters, and `total` those that waited, too. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * The entities whose deferred vectors are still to be made. Saves put them there in their own commit, and a worker in
 * every process makes them by itself: so this is for looking, waiting and mending.
 *
 * Errors of all: `argument.invalid` for an entity without `mode: 'deferred'`.
 *
 * @example
 * ```ts
 * await products.outbox.drain({ signal: AbortSignal.timeout(60_000) });
 * const { dead } = await products.outbox.counts();
 * if (dead > 0) console.log((await products.outbox.deadLetters()).items);
 * ```
 */
export interface Outbox<Id = unknown> {
  /** Reads the whole outbox. */
  counts(options?: Pick<ReadOptions, 'signal'>): Promise<OutboxCounts>;
  /**
   * Works until nothing waits any more, dead letters aside: every entity can be found. Waits for an embedder that is
   * down, so give it a signal. Errors: `aborted`, `store.closed`, `embedding.mismatch` where only another program can
   * make what is left.
   */
  drain(options?: DrainOptions): Promise<void>;
  /** A page of dead letters, in the order of ids. */
  deadLetters(options?: DeadLetterOptions): Promise<Page<DeadLetter<Id>>>;
  /** Tries dead letters again, all or those of these ids, from the first attempt. Resolves to how many there were. */
  retry(ids?: readonly Id[], options?: Pick<ReadOptions, 'signal'>): Promise<number>;
  /**
   * Forgets dead letters, all or those of these ids. Their entities stay, and cannot be found by this text until it
   * changes or `doctor` mends it. Resolves to how many there were.
   */
  drop(ids?: readonly Id[], options?: Pick<ReadOptions, 'signal'>): Promise<number>;
}

/** The outbox of one repository. Untyped inside: the ids are the caller's. */
export class EntityOutbox implements Outbox {
  readonly #context: RepositoryContext;

  constructor(context: RepositoryContext) {
    this.#context = context;
  }

  async counts({ signal }: Pick<ReadOptions, 'signal'> = {}): Promise<OutboxCounts> {
    this.#worker();
    await admit(this.#context, 'read', { signal });
    let waiting = 0;
    let dead = 0;
    let since = Number.POSITIVE_INFINITY;
    for await (const { entry } of this.#items(undefined, signal)) {
      if (entry.failure?.isDead) dead++;
      else {
        waiting++;
        since = Math.min(since, entry.since);
      }
    }
    return { waiting, dead, oldest: waiting === 0 ? undefined : new Date(since) };
  }

  async drain({ signal, onProgress }: DrainOptions = {}): Promise<void> {
    const worker = this.#worker();
    await admit(this.#context, 'write', { signal });
    if (onProgress === undefined) return worker.drain({ signal });
    const { waiting } = await this.counts({ signal });
    const onBatch = (made: number, failed: number): void => {
      const done = made + failed;
      onProgress({ done, failed, total: Math.max(done, waiting) });
    };
    return worker.drain({ signal, onBatch });
  }

  async deadLetters({ limit, cursor, signal }: DeadLetterOptions = {}): Promise<Page<DeadLetter>> {
    this.#worker();
    const { keys } = this.#context;
    return readPage(this.#context, keys.wholeOutbox(), { limit, cursor, signal }, async (entries) =>
      entries.map((stored): DeadLetter | undefined => {
        const { id, entry } = itemOf(this.#context, stored.key, stored);
        const { since, attempts, failure } = entry;
        if (!failure?.isDead) return undefined;
        const { code, message } = failure;
        return { id: this.#context.keys.idOf(id), since: new Date(since), attempts, code, message };
      }),
    );
  }

  async retry(ids?: readonly unknown[], { signal }: Pick<ReadOptions, 'signal'> = {}): Promise<number> {
    const worker = this.#worker();
    await admit(this.#context, 'write', { signal });
    const notBefore = this.#context.environment.clock.now();
    const revived = await this.#changeDead(ids, signal, async (item) => {
      const entry = { since: item.entry.since, notBefore, attempts: 0 };
      return (await replaceEntry(this.#context, item, entry)) !== undefined;
    });
    if (revived > 0) worker.look();
    return revived;
  }

  async drop(ids?: readonly unknown[], { signal }: Pick<ReadOptions, 'signal'> = {}): Promise<number> {
    this.#worker();
    await admit(this.#context, 'write', { signal });
    return this.#changeDead(ids, signal, (item) => deleteEntry(this.#context, item));
  }

  /** One that was saved meanwhile is no dead letter any more, and does not count. */
  async #changeDead(
    ids: readonly unknown[] | undefined,
    signal: AbortSignal | undefined,
    change: (item: OutboxItem) => Promise<boolean>,
  ): Promise<number> {
    let changed = 0;
    for await (const item of this.#items(ids, signal)) {
      if (item.entry.failure?.isDead && (await change(item))) changed++;
    }
    return changed;
  }

  async *#items(
    ids: readonly unknown[] | undefined,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<OutboxItem, void, undefined> {
    const { client, keys } = this.#context;
    if (ids !== undefined) {
      // All are checked before anything is done.
      for (const key of ids.map((id) => keys.outbox(keys.idParts(id)))) {
        const stored = await client.get(key, { signal });
        if (stored !== undefined) yield itemOf(this.#context, key, stored);
      }
      return;
    }
    let range: KeyRange | undefined = keys.wholeOutbox();
    while (range !== undefined) {
      const page = await client.scan(range, { limit: MAX_PAGE, signal });
      for (const entry of page.entries) yield itemOf(this.#context, entry.key, entry);
      range = page.rest;
    }
  }

  #worker(): OutboxWorker {
    const { outbox, model } = this.#context;
    if (outbox !== undefined) return outbox;
    throw new NorimakiError(
      'argument.invalid',
      `${model.name} has no outbox: none of its embeddings has mode 'deferred'.`,
      { argument: 'outbox' },
    );
  }
}
