import type { CommitOperation, Precondition } from '../../core/store.ts';
import type { Version } from '../../core/version.ts';
import { encodeRecord } from './layout.ts';
import { encodeExpiring } from './vectors/expiring.ts';

type Put = CommitOperation & { readonly type: 'put' };

/** A write as it waits in the queue: bytes of its own, the version still open. */
export type PreparedOperation =
  | PreparedPut
  | ({ readonly type: 'delete' | 'check'; readonly key: Uint8Array } & Precondition);

/** A class, as it lives until the commit: see `listOf`. */
export class PreparedPut implements Precondition {
  readonly type = 'put';
  readonly key: Uint8Array;
  readonly record: Buffer;
  readonly expiresAt: number | undefined;
  /** Encoded names of vectors that end with the record. */
  readonly vectors: Uint8Array | undefined;
  readonly ifMatch: Version | undefined;
  readonly ifAbsent: boolean | undefined;

  constructor(
    key: Uint8Array,
    value: Uint8Array,
    { expiresAt, ifMatch, ifAbsent }: Omit<Put, 'type' | 'key' | 'value'>,
    vectors?: Uint8Array,
  ) {
    this.key = new Uint8Array(key);
    this.record = encodeRecord(value, expiresAt);
    this.expiresAt = expiresAt;
    this.vectors = vectors;
    this.ifMatch = ifMatch;
    this.ifAbsent = ifAbsent;
  }
}

/** A write with bytes of its own: the caller may change what it handed in while the write waits. */
export function prepare(operation: CommitOperation): PreparedOperation {
  const { type, key } = operation;
  if (type === 'put') {
    const vectors = operation.vectors && encodeExpiring(operation.vectors);
    return new PreparedPut(key, operation.value, operation, vectors);
  }
  const ifAbsent = type === 'check' ? operation.ifAbsent : undefined;
  return { type, key: new Uint8Array(key), ifMatch: operation.ifMatch, ifAbsent };
}
