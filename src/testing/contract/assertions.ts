import assert from 'node:assert/strict';
import { type ErrorCode, NorimakiError } from '../../core/errors.ts';
import {
  type CommitStore,
  canCommit,
  canScan,
  canWatch,
  hasVectors,
  type Key,
  type PutOptions,
  type ScanStore,
  type Store,
  type Stored,
  type VectorStore,
  type WatchStore,
} from '../../core/store.ts';
import type { Version } from '../../core/version.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

export function assertBytes(actual: Uint8Array | undefined, expected: Uint8Array, message?: string): void {
  assert.ok(actual !== undefined, message ?? `nothing there; expected ${hex(expected)}`);
  assert.ok(actual instanceof Uint8Array, 'not bytes');
  assert.equal(hex(actual), hex(expected), message);
}

/** What a read must have found. */
export interface ExpectedRecord {
  readonly value: Uint8Array;
  readonly version?: Version | undefined;
  readonly expiresAt?: number | undefined;
}

export function assertRecord(actual: Stored | undefined, expected: ExpectedRecord, message?: string): void {
  assertBytes(actual?.value, expected.value, message);
  if (expected.version !== undefined) assert.equal(actual?.version, expected.version, message ?? 'another version');
  assert.equal(actual?.expiresAt, expected.expiresAt, message ?? 'another deadline');
}

export function assertMissing(actual: Stored | undefined, message = 'the key should be missing'): void {
  assert.equal(actual, undefined, message);
}

/** That a call fails with this code. */
export async function assertFails<C extends ErrorCode>(call: Promise<unknown>, code: C): Promise<NorimakiError<C>> {
  let answer: unknown;
  try {
    answer = await call;
  } catch (error) {
    if (NorimakiError.is(error, code)) return error;
    assert.fail(`expected ${code}, but got ${String(error)}`);
  }
  assert.fail(`expected ${code}, but the call succeeded with ${String(answer)}`);
}

/** The version of a put as reads tell it. A store with best-effort conditional writes may answer the put with another. */
export async function putAndRead(store: Store, key: Key, value: Uint8Array, options?: PutOptions): Promise<Version> {
  await store.put(key, value, options);
  const found = await store.get(key, { signal: options?.signal });
  assert.ok(found !== undefined, 'what was put is not there');
  return found.version;
}

/** The keys of entries or the like, in a form that a failed comparison shows well. */
export function keysOf(entries: readonly { readonly key: Key }[]): string[] {
  return entries.map(({ key }) => hex(key));
}

export function scannable(store: Store): ScanStore {
  assert.ok(canScan(store), 'the store cannot scan');
  return store;
}

export function committable(store: Store): CommitStore {
  assert.ok(canCommit(store), 'the store cannot commit');
  return store;
}

export function searchable(store: Store): VectorStore {
  assert.ok(hasVectors(store), 'the store has no vectors');
  return store;
}

export function watchable(store: Store): WatchStore {
  assert.ok(canWatch(store), 'the store cannot watch');
  return store;
}

/** A short key or value. */
export function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}
