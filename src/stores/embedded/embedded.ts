import { throwIfAborted } from '../../core/abort.ts';
import { checkCommit, checkExpiry, checkKey, checkPrecondition, checkValue, pageLimit } from '../../core/checks.ts';
import type { Clock } from '../../core/clock.ts';
import { listOf } from '../../core/list-of.ts';
import {
  type CommitOperation,
  type CommitOptions,
  DEFAULT_LIMITS,
  type DeleteOptions,
  type Key,
  type KeyRange,
  type PutOptions,
  type ReadOptions,
  type ScanOptions,
  type ScanPage,
  type Stored,
  type StoreOpener,
  type Watch,
  type WatchOptions,
} from '../../core/store.ts';
import { checkVectorWrites } from '../../core/vectors/index.ts';
import type { Version } from '../../core/version.ts';
import { closedError } from './failures.ts';
import { type OpenedFolder, openFolder } from './open-folder.ts';
import { PreparedPut, prepare } from './prepared.ts';
import { statsOf } from './stats.ts';
import type { EmbeddedOptions, EmbeddedStats, EmbeddedStore, MaintenanceOptions } from './types.ts';
import { bytesOf, type EmbeddedVectors, prepareVector } from './vectors/embedded-vectors.ts';

class Embedded implements EmbeddedStore {
  readonly capabilities = {
    cas: 'atomic',
    ifAbsent: true,
    deleteIfMatch: true,
    idempotency: false,
    scan: true,
    commit: true,
    vectors: true,
    watch: true,
    limits: DEFAULT_LIMITS,
  } as const;

  readonly vectors: EmbeddedVectors;
  readonly #folder: OpenedFolder;
  readonly #clock: Clock;
  #closing: Promise<void> | undefined;

  constructor(folder: OpenedFolder, clock: Clock) {
    this.#folder = folder;
    this.vectors = folder.vectors;
    this.#clock = clock;
  }

  async get(key: Key, options?: ReadOptions): Promise<Stored | undefined> {
    this.#begin(options?.signal);
    checkKey(key, DEFAULT_LIMITS);
    return this.#folder.tables.get(key, this.#clock.now());
  }

  async getMany(keys: readonly Key[], options?: ReadOptions): Promise<(Stored | undefined)[]> {
    this.#begin(options?.signal);
    for (const key of keys) checkKey(key, DEFAULT_LIMITS);
    return this.#folder.tables.getMany(keys, this.#clock.now());
  }

  async put(key: Key, value: Uint8Array, options: PutOptions = {}): Promise<Version> {
    this.#begin(options.signal);
    checkKey(key, DEFAULT_LIMITS);
    checkValue(value, DEFAULT_LIMITS);
    checkPrecondition(options);
    checkExpiry(options.expiresAt);
    const operations = listOf(new PreparedPut(key, value, options));
    return this.#folder.queue.submit((batch) => batch.apply(operations, false), value.length, options.signal);
  }

  async delete(key: Key, options: DeleteOptions = {}): Promise<boolean> {
    this.#begin(options.signal);
    checkKey(key, DEFAULT_LIMITS);
    const operation = prepare({ type: 'delete', key, ifMatch: options.ifMatch });
    return this.#folder.queue.submit((batch) => batch.delete(operation), 0, options.signal);
  }

  async commit(operations: readonly CommitOperation[], options: CommitOptions = {}): Promise<Version> {
    const { vectors = [], signal } = options;
    this.#begin(signal);
    checkCommit(operations, DEFAULT_LIMITS);
    checkVectorWrites(vectors);
    const prepared = operations.map(prepare);
    const preparedVectors = vectors.map(prepareVector);
    const bytes = operations.reduce((sum, { type, ...rest }) => sum + ('value' in rest ? rest.value.length : 0), 0);
    const version = await this.#folder.queue.submit(
      (batch) => batch.apply(prepared, true, preparedVectors),
      bytes + bytesOf(preparedVectors),
      signal,
    );
    this.vectors.follow(preparedVectors);
    return version;
  }

  async scan(range: KeyRange, options: ScanOptions = {}): Promise<ScanPage> {
    this.#begin(options.signal);
    const { reverse = false, bytes = Number.POSITIVE_INFINITY } = options;
    return this.#folder.tables.scan(range, { limit: pageLimit(options), bytes, reverse }, this.#clock.now());
  }

  async watch(range: KeyRange, options: WatchOptions = {}): Promise<Watch> {
    this.#begin(options.signal);
    return this.#folder.follower.watch(range, options);
  }

  async compact({ signal }: MaintenanceOptions = {}): Promise<void> {
    this.#begin(signal);
    await this.#folder.compact(signal);
  }

  async backup(path: string, { signal }: MaintenanceOptions = {}): Promise<void> {
    this.#begin(signal);
    await this.#folder.backup(path, signal);
  }

  async stats(): Promise<EmbeddedStats> {
    this.#begin(undefined);
    return statsOf(this.#folder);
  }

  async close(): Promise<void> {
    this.#closing ??= this.#folder.close();
    await this.#closing;
  }

  #begin(signal: AbortSignal | undefined): void {
    if (this.#closing !== undefined) throw closedError();
    throwIfAborted(signal);
  }
}

/**
 * A store in a folder on this machine's disk, on LMDB. Several processes may have it open at once, with the same
 * promises as within one. Needs the package `lmdb` (3.x). The folder must be on a local disk.
 *
 * Concurrent writes of a process share one transaction and one sync to disk. It has no idempotency keys, and needs none:
 * a call is answered by the very process that applies it, so no reply can be lost and no call delivered twice.
 *
 * Errors when opening: `capability.missing` without lmdb, `argument.invalid` for a path that cannot be used,
 * `store.incompatible` for a data file that is damaged, foreign or of another format (nothing is changed), `store.full`,
 * `store.unavailable`. Writes to a full disk fail with `store.full` and work again once there is space.
 *
 * @example
 * ```ts
 * await using db = await open(embedded({ path: './data' }));
 * ```
 */
export function embedded(options: EmbeddedOptions): StoreOpener<EmbeddedStore> {
  return {
    openStore: async (environment) => new Embedded(await openFolder(options, environment), environment.clock),
  };
}
