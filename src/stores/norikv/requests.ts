import type { CommitOperation, Key, Precondition, Stored } from '../../core/store.ts';
import type { VectorWrite } from '../../core/vectors/index.ts';
import type { Version } from '../../core/version.ts';
import { fromWireRecord, fromWireVersion, type norikv, type norimaki, toWireVersion } from '../../wire/index.ts';
import { unavailable } from './failures.ts';

// What the port says, as the protocol says it, and back. Bytes are copied: they travel later than the call is made.

export function preconditionOf({ ifMatch, ifAbsent }: Precondition): norimaki.Precondition | undefined {
  if (ifMatch !== undefined) return { condition: { $case: 'version', value: toWireVersion(ifMatch) } };
  return ifAbsent ? { condition: { $case: 'absent', value: true } } : undefined;
}

/** Whole milliseconds from 1970 on: a record that ends in between ends with the next, as clocks tick by them. */
export function instantOf(expiresAt: number | undefined): bigint | undefined {
  if (expiresAt === undefined) return undefined;
  return BigInt(Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.ceil(expiresAt))));
}

export function operationOf(operation: CommitOperation): norimaki.Operation {
  const key = copy(operation.key);
  switch (operation.type) {
    case 'put': {
      const { value, expiresAt, vectors } = operation;
      const names = vectors && { names: vectors.map(({ namespace, id }) => ({ namespace, id })) };
      const put = { value: copy(value), expiresAt: instantOf(expiresAt), vectors: names };
      return { key, precondition: preconditionOf(operation), action: { $case: 'put', value: put } };
    }
    case 'delete':
      return { key, precondition: preconditionOf(operation), action: { $case: 'delete', value: {} } };
    case 'check':
      return { key, precondition: preconditionOf(operation), action: { $case: 'check', value: {} } };
  }
}

export function vectorOperationOf(write: VectorWrite): norimaki.VectorOperation {
  const { namespace, id } = write;
  return { namespace, id, insert: write.type === 'insert' ? { numbers: Array.from(write.vector) } : undefined };
}

/** From Node's pool, as it lives until it is sent. */
export function copy(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes);
}

/** The bytes are of the answer's own message, which nobody else holds; as a plain array, for `slice` to copy. */
export function owned(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function storedOf(record: norimaki.Record | undefined): Stored | undefined {
  const stored = record && fromWireRecord(record);
  return stored && { ...stored, value: owned(stored.value) };
}

export function entryOf(record: norimaki.Record): Stored & { readonly key: Key } {
  const stored = storedOf(record);
  if (stored === undefined) throw unavailable('The server answered a scan with a record without a version.', 'no');
  return { ...stored, key: owned(record.key) };
}

/** The version of a write that was acknowledged. */
export function versionOf(version: norikv.Version | undefined): Version {
  if (version === undefined) throw unavailable('The server acknowledged a write without its version.', 'unknown');
  return fromWireVersion(version);
}
