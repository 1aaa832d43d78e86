import { throwIfAborted } from '../../core/abort.ts';
import { checkCommit, checkExpiry, checkKey, checkPrecondition, checkValue, pageLimit } from '../../core/checks.ts';
import type { Random } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import { randomId } from '../../core/random-id.ts';
import type {
  Capabilities,
  CommitOperation,
  CommitOptions,
  DeleteOptions,
  Key,
  KeyRange,
  Precondition,
  PutOptions,
  ReadOptions,
  ScanOptions,
  ScanPage,
  Store,
  Stored,
  Watch,
  WatchOptions,
  WriteOptions,
} from '../../core/store.ts';
import { checkVectorWrites, type Vectors } from '../../core/vectors/index.ts';
import type { Version } from '../../core/version.ts';
import { toWireVersion } from '../../wire/index.ts';
import type { Caller } from './caller.ts';
import { closedError, type Patience, type Patiences } from './patience.ts';
import {
  copy,
  entryOf,
  instantOf,
  operationOf,
  owned,
  preconditionOf,
  storedOf,
  vectorOperationOf,
  versionOf,
} from './requests.ts';
import { checkNumbers, NorikvVectors } from './vectors.ts';
import type { RemoteWatches } from './watches.ts';

/** Calls in flight have so long to be answered when the store is closed, in milliseconds. */
const CLOSING_GRACE_MS = 1_000;
const IDEMPOTENCY_BYTES = 16;

/** What a store is made of. */
export interface Parts {
  readonly capabilities: Capabilities;
  readonly isPlain: boolean;
  readonly caller: Caller;
  readonly watches: RemoteWatches;
  readonly patiences: Patiences;
  readonly random: Random;
  /** Ends everything that is open. */
  readonly release: () => Promise<void>;
}

/** What the rooms of one store share. */
export interface Calls {
  readonly capabilities: Capabilities;
  readonly caller: Caller;
  /** Errors: `store.closed`, `aborted`, and those of the call. */
  begin<T>(signal: AbortSignal | undefined, call: (patience: Patience) => Promise<T>): Promise<T>;
  require(capability: Ability, neededBy: string): void;
  idempotencyKeyOf(options: WriteOptions): string;
}

type Ability = 'ifAbsent' | 'deleteIfMatch' | 'scan' | 'commit' | 'vectors' | 'watch';

export class Norikv implements Store {
  readonly capabilities: Capabilities;
  readonly vectors: Vectors;
  readonly #parts: Parts;
  readonly #calls: Calls;
  #closing: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.capabilities = parts.capabilities;
    this.#calls = {
      capabilities: parts.capabilities,
      caller: parts.caller,
      begin: (signal, call) => this.#begin(signal, call),
      require: (capability, neededBy) => this.#require(capability, neededBy),
      idempotencyKeyOf: (options) => this.#idempotencyKeyOf(options),
    };
    this.vectors = new NorikvVectors(this.#calls, parts.isPlain);
  }

  async get(key: Key, { consistency = 'strong', signal }: ReadOptions = {}): Promise<Stored | undefined> {
    return this.#begin(signal, (patience) => this.#get(key, consistency, patience));
  }

  async getMany(keys: readonly Key[], options: ReadOptions = {}): Promise<(Stored | undefined)[]> {
    const { consistency = 'strong', signal } = options;
    return this.#begin(signal, (patience) => Promise.all(keys.map((key) => this.#get(key, consistency, patience))));
  }

  async put(key: Key, value: Uint8Array, options: PutOptions = {}): Promise<Version> {
    return this.#begin(options.signal, async (patience) => {
      const { limits } = this.capabilities;
      checkKey(key, limits);
      checkValue(value, limits);
      checkPrecondition(options);
      checkExpiry(options.expiresAt);
      this.#checkPrecondition(options, 'put()');
      const question = {
        ...{ key: copy(key), value: copy(value), expiresAt: instantOf(options.expiresAt) },
        precondition: preconditionOf(options),
        idempotencyKey: this.#idempotencyKeyOf(options),
      };
      const { version } = await this.#parts.caller.call<'put'>(
        { $case: 'put', value: question },
        question.key,
        patience,
      );
      return versionOf(version);
    });
  }

  async delete(key: Key, options: DeleteOptions = {}): Promise<boolean> {
    return this.#begin(options.signal, async (patience) => {
      checkKey(key, this.capabilities.limits);
      this.#checkDelete(options, 'delete()');
      const question = {
        key: copy(key),
        ifMatch: options.ifMatch === undefined ? undefined : toWireVersion(options.ifMatch),
        idempotencyKey: this.#idempotencyKeyOf(options),
      };
      const request = { $case: 'delete', value: question } as const;
      return (await this.#parts.caller.call<'delete'>(request, question.key, patience)).existed;
    });
  }

  async scan(range: KeyRange, options: ScanOptions = {}): Promise<ScanPage> {
    return this.#begin(options.signal, async (patience) => {
      this.#require('scan', 'scan()');
      const { reverse = false, consistency = 'strong' } = options;
      const limit = pageLimit(options);
      const within = { start: copy(range.start), end: copy(range.end) };
      const request = { $case: 'scan', value: { range: within, limit, reverse, consistency } } as const;
      const { records, rest } = await this.#parts.caller.call<'scan'>(request, within.start, patience);
      const entries = records.map(entryOf);
      return rest === undefined ? { entries } : { entries, rest: { start: owned(rest.start), end: owned(rest.end) } };
    });
  }

  async commit(operations: readonly CommitOperation[], options: CommitOptions = {}): Promise<Version> {
    return this.#begin(options.signal, async (patience) => {
      const { vectors = [] } = options;
      this.#require('commit', 'commit()');
      if (vectors.length > 0) this.#require('vectors', 'commit()');
      checkCommit(operations, this.capabilities.limits);
      checkVectorWrites(vectors);
      for (const write of vectors) if (write.type === 'insert') checkNumbers(write.vector);
      for (const operation of operations) {
        if (operation.type === 'delete') this.#checkDelete(operation, 'commit()');
        else this.#checkPrecondition(operation, 'commit()');
      }
      const question = {
        operations: operations.map(operationOf),
        vectors: vectors.map(vectorOperationOf),
        idempotencyKey: this.#idempotencyKeyOf(options),
      };
      // All of it is for the node that leads its first key.
      const key = question.operations[0]?.key ?? Buffer.from(vectors[0]?.namespace ?? '');
      const request = { $case: 'commit', value: question } as const;
      return versionOf((await this.#parts.caller.call<'commit'>(request, key, patience)).version);
    });
  }

  async watch(range: KeyRange, options: WatchOptions = {}): Promise<Watch> {
    return this.#begin(options.signal, async (patience) => {
      this.#require('watch', 'watch()');
      return this.#parts.watches.open(range, options, patience);
    });
  }

  async close(): Promise<void> {
    this.#closing ??= this.#close();
    await this.#closing;
  }

  async #close(): Promise<void> {
    this.#parts.watches.close();
    await this.#parts.patiences.close(CLOSING_GRACE_MS);
    // Those that began to be opened before.
    this.#parts.watches.close();
    await this.#parts.release();
  }

  async #get(key: Key, consistency: string, patience: Patience): Promise<Stored | undefined> {
    checkKey(key, this.capabilities.limits);
    const question = { key: copy(key), consistency };
    const request = { $case: 'get', value: question } as const;
    return storedOf((await this.#parts.caller.call<'get'>(request, question.key, patience)).record);
  }

  #begin<T>(signal: AbortSignal | undefined, call: (patience: Patience) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) throw closedError();
    throwIfAborted(signal);
    return this.#parts.patiences.lend(signal, call);
  }

  #require(capability: Ability, neededBy: string): void {
    if (this.capabilities[capability]) return;
    throw new NorimakiError(
      'capability.missing',
      `${neededBy} needs ${capability}, which this server does not have. A server of norimaki/server over the memory or the embedded store has.`,
      { capability, neededBy },
    );
  }

  #checkPrecondition({ ifAbsent }: Precondition, caller: string): void {
    if (ifAbsent) this.#require('ifAbsent', caller);
  }

  #checkDelete({ ifMatch }: DeleteOptions, caller: string): void {
    if (ifMatch !== undefined) this.#require('deleteIfMatch', caller);
  }

  /**
   * A plain server knows one set of keys for all keys and operations, in memory, so a caller's own would promise what it
   * cannot keep; one of this very call makes it safer to send the call again.
   */
  #idempotencyKeyOf({ idempotencyKey = '' }: WriteOptions): string {
    if (!this.#parts.isPlain) return idempotencyKey;
    return randomId(this.#parts.random, IDEMPOTENCY_BYTES);
  }
}
