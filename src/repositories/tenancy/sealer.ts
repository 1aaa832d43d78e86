import type { Key } from '../../core/store.ts';

/**
 * Authenticated encryption of the bytes of records. The key of the record, which holds the tenant and its generation,
 * goes in as associated data: bytes that were moved under another key do not open.
 */
export interface Sealer {
  /** Bytes that a sealed record takes more than a plain one, at most. */
  readonly overhead: number;
  seal(key: Key, plain: Uint8Array): Uint8Array;
  /** `undefined`: these bytes were not sealed under this key, or by none of the keys that are known. */
  open(key: Key, sealed: Uint8Array): Uint8Array | undefined;
}
