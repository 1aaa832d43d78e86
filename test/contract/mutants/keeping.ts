import { NorimakiError } from '../../../src/core/errors.ts';
import type {
  CommitOperation,
  DeleteOptions,
  Key,
  KeyRange,
  PutOptions,
  ReadOptions,
  ScanOptions,
  ScanPage,
  Stored,
  WriteOptions,
} from '../../../src/core/store.ts';
import { makeVersion, type Version } from '../../../src/core/version.ts';
import { memory } from '../../../src/stores/memory/index.ts';
import { StoreWrapper } from '../../../src/testing/store-wrapper.ts';
import { openPersistent, PersistentMemory, reopenPersistent } from '../persistent-memory.ts';
import { type Mutant, mutant, nameOf } from './mutant.ts';

type PutCall = [key: Key, value: Uint8Array, options?: PutOptions];

class ExpiryUncovers extends StoreWrapper {
  readonly #older = new Map<string, Stored>();

  override async put(...[key, value, options = {}]: PutCall): Promise<Version> {
    const before = await super.get(key, { signal: options.signal });
    const version = await super.put(key, value, options);
    if (before !== undefined && options.expiresAt !== undefined) this.#older.set(nameOf(key), before);
    else this.#older.delete(nameOf(key));
    return version;
  }

  override async delete(key: Key, options?: DeleteOptions): Promise<boolean> {
    const existed = await super.delete(key, options);
    this.#older.delete(nameOf(key));
    return existed;
  }

  override async get(key: Key, options?: ReadOptions): Promise<Stored | undefined> {
    return (await super.get(key, options)) ?? this.#older.get(nameOf(key));
  }
}

class ExpiredIsPresent extends StoreWrapper {
  readonly #created = new Set<string>();

  override async put(...[key, value, options = {}]: PutCall): Promise<Version> {
    const isCreate = options.ifAbsent && options.ifMatch === undefined && options.idempotencyKey === undefined;
    if (isCreate && this.#created.has(nameOf(key))) throw new NorimakiError('already.exists', 'The key exists.', {});
    const version = await super.put(key, value, options);
    this.#created.add(nameOf(key));
    return version;
  }

  override async delete(key: Key, options?: DeleteOptions): Promise<boolean> {
    const existed = await super.delete(key, options);
    this.#created.delete(nameOf(key));
    return existed;
  }
}

class ExpiresTooLate extends StoreWrapper {
  override put(...[key, value, options = {}]: PutCall): Promise<Version> {
    const expiresAt = options.expiresAt === undefined ? undefined : options.expiresAt + 1;
    return super.put(key, value, { ...options, expiresAt });
  }

  override async get(key: Key, options?: ReadOptions): Promise<Stored | undefined> {
    const found = await super.get(key, options);
    return found?.expiresAt === undefined ? found : { ...found, expiresAt: found.expiresAt - 1 };
  }
}

class DeadlineSticks extends StoreWrapper {
  override async put(...[key, value, options = {}]: PutCall): Promise<Version> {
    const before = await super.get(key, { signal: options.signal });
    return super.put(key, value, { ...options, expiresAt: options.expiresAt ?? before?.expiresAt });
  }
}

/** Shows versions of its own making. */
abstract class OwnVersions extends StoreWrapper {
  readonly #shown = new Map<Version, Version>();

  abstract versionOf(key: Key, value: Uint8Array): Version;

  forgotten(_key: Key): void {}

  override async put(...[key, value, options = {}]: PutCall): Promise<Version> {
    const ifMatch = await this.#hidden(key, options.ifMatch);
    const version = await super.put(key, value, { ...options, ifMatch });
    if (!this.#shown.has(version)) this.#shown.set(version, this.versionOf(key, value));
    return this.#shown.get(version) as Version;
  }

  override async delete(key: Key, options: DeleteOptions = {}): Promise<boolean> {
    const existed = await super.delete(key, { ...options, ifMatch: await this.#hidden(key, options.ifMatch) });
    this.forgotten(key);
    return existed;
  }

  override async get(key: Key, options?: ReadOptions): Promise<Stored | undefined> {
    return this.#show(await super.get(key, options));
  }

  override async getMany(keys: readonly Key[], options?: ReadOptions): Promise<(Stored | undefined)[]> {
    return (await super.getMany(keys, options)).map((found) => this.#show(found));
  }

  override async scan(range: KeyRange, options?: ScanOptions): Promise<ScanPage> {
    const page = await super.scan(range, options);
    return { ...page, entries: page.entries.map((entry) => ({ ...entry, version: this.#shownFor(entry.version) })) };
  }

  override async commit(operations: readonly CommitOperation[], options?: WriteOptions): Promise<Version> {
    const hidden = operations.map(async (operation) => ({
      ...operation,
      ifMatch: await this.#hidden(operation.key, operation.ifMatch),
    }));
    return super.commit(await Promise.all(hidden), options);
  }

  #show(found: Stored | undefined): Stored | undefined {
    return found && { ...found, version: this.#shownFor(found.version) };
  }

  #shownFor(version: Version): Version {
    return this.#shown.get(version) ?? version;
  }

  async #hidden(key: Key, ifMatch: Version | undefined): Promise<Version | undefined> {
    if (ifMatch === undefined) return undefined;
    const real = (await super.get(key))?.version;
    return real !== undefined && this.#shown.get(real) === ifMatch ? real : ifMatch;
  }
}

class VersionsCountPerLife extends OwnVersions {
  readonly #counts = new Map<string, bigint>();

  override versionOf(key: Key): Version {
    const count = (this.#counts.get(nameOf(key)) ?? 0n) + 1n;
    this.#counts.set(nameOf(key), count);
    return makeVersion(8n, count);
  }

  override forgotten(key: Key): void {
    this.#counts.delete(nameOf(key));
  }
}

class VersionsAreHashes extends OwnVersions {
  override versionOf(_key: Key, value: Uint8Array): Version {
    return makeVersion(
      9n,
      value.reduce((hash, byte) => (hash * 31n + BigInt(byte)) % 2n ** 60n, 7n),
    );
  }
}

/** Reopened, it holds the same records, but counts versions from the start. */
const versionsRestart: Mutant = {
  group: 'versions',
  open: openPersistent,
  async reopen(closed, environment) {
    const fresh = new PersistentMemory(await memory().openStore(environment));
    const old = await reopenPersistent(closed);
    const everything = { start: Uint8Array.of(0), end: new Uint8Array(1025).fill(0xff) };
    const { entries } = await old.scan(everything, { limit: 1000 });
    for (const { key, value, expiresAt } of entries) await fresh.put(key, value, { expiresAt });
    return fresh;
  },
};

class RefusesTheLargest extends StoreWrapper {
  override async put(...[key, value, options]: PutCall): Promise<Version> {
    const { value: limit } = this.capabilities.limits;
    if (value.length !== limit) return super.put(key, value, options);
    throw new NorimakiError('size.exceeded', 'Too large.', { what: 'value', bytes: limit, limit });
  }
}

class CutsLongKeys extends StoreWrapper {
  override put(...[key, value, options]: PutCall): Promise<Version> {
    return super.put(key.subarray(0, this.capabilities.limits.key), value, options);
  }
}

class IgnoresSignals extends StoreWrapper {
  override put(...[key, value, options]: PutCall): Promise<Version> {
    return super.put(key, value, { ...options, signal: undefined });
  }
}

class StaysOpen extends StoreWrapper {
  override async close(): Promise<void> {}
}

class ClosesOnce extends StoreWrapper {
  #closed = false;

  override async close(): Promise<void> {
    if (this.#closed) throw new Error('closed twice');
    this.#closed = true;
    await super.close();
  }
}

/** Mistakes in what a store keeps, how long, and under which version. */
export const keepingMutants: Record<string, Mutant> = {
  'expiry uncovers an older record': mutant('expiry', ExpiryUncovers),
  'an expired record counts as present for ifAbsent': mutant('expiry', ExpiredIsPresent),
  'a record expires a millisecond late': mutant('expiry', ExpiresTooLate),
  'a put without a deadline keeps the old one': mutant('expiry', DeadlineSticks),
  'a version is counted anew after a delete': mutant('versions', VersionsCountPerLife),
  'a version is the hash of the value': mutant('versions', VersionsAreHashes),
  'versions start again after reopening': versionsRestart,
  'a value of the largest size is refused': mutant('limits', RefusesTheLargest),
  'a key that is too long is cut': mutant('limits', CutsLongKeys),
  'a signal is ignored': mutant('life cycle', IgnoresSignals),
  'close does not close': mutant('life cycle', StaysOpen),
  'closing twice fails': mutant('life cycle', ClosesOnce),
};
