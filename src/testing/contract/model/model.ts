import type { ErrorCode } from '../../../core/errors.ts';
import type { CommitOperation, Key, Precondition } from '../../../core/store.ts';
import type { Version } from '../../../core/version.ts';
import type { ExpectedRecord } from '../assertions.ts';
import { FOREIGN } from '../preconditions.ts';

interface ModelRecord extends ExpectedRecord {
  readonly version: Version;
}

/** Which version a command expects: that of the record, an earlier one of the key, or one that never was. */
export type Expectation = 'fresh' | 'stale' | 'missing';

/** Close neighbours: prefixes of one another, zeros, the ends of the byte range. */
export const MODEL_KEYS: readonly Key[] = [[0], [0, 0], [1], [1, 0], [1, 0, 255], [1, 255], [2], [255, 255]].map(
  (key) => Uint8Array.from(key),
);

/** What a store must be like, as plainly as it can be said. */
export class StoreModel {
  readonly #records = new Map<Key, ModelRecord>();
  readonly #versions = new Map<Key, Version[]>();
  #now: number;

  constructor(now: number) {
    this.#now = now;
  }

  get now(): number {
    return this.#now;
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const [key, { expiresAt }] of this.#records) {
      if (expiresAt !== undefined && expiresAt <= this.#now) this.#records.delete(key);
    }
  }

  get(key: Key): ModelRecord | undefined {
    return this.#records.get(key);
  }

  versionFor(key: Key, expectation: Expectation): Version {
    const current = this.#records.get(key)?.version;
    const earlier = this.#versions.get(key)?.findLast((version) => version !== current);
    return { fresh: current, stale: earlier, missing: undefined }[expectation] ?? FOREIGN;
  }

  isUsed(key: Key, version: Version): boolean {
    return this.#versions.get(key)?.includes(version) ?? false;
  }

  /** The error that a write with this precondition must meet. */
  refusal(key: Key, { ifMatch, ifAbsent }: Precondition): ErrorCode | undefined {
    const version = this.#records.get(key)?.version;
    if (ifAbsent && version !== undefined) return 'already.exists';
    return ifMatch !== undefined && ifMatch !== version ? 'version.mismatch' : undefined;
  }

  apply(operations: readonly CommitOperation[], version: Version | undefined): void {
    for (const operation of operations) {
      const { key } = operation;
      if (operation.type === 'delete') this.#records.delete(key);
      if (operation.type !== 'put' || version === undefined) continue;
      this.#versions.set(key, [...(this.#versions.get(key) ?? []), version]);
      this.#records.set(key, { value: operation.value, version, expiresAt: operation.expiresAt });
    }
    this.advance(0);
  }

  /** The keys of all records from `start` to before `end`, in order. */
  keysIn(start: Key, end: Key): Key[] {
    const inside = [...this.#records.keys()].filter(
      (key) => Buffer.compare(start, key) <= 0 && Buffer.compare(key, end) < 0,
    );
    return inside.sort(Buffer.compare);
  }
}
