import { inspect } from 'node:util';
import { decodeTuple } from '../core/keys/index.ts';
import type { Key } from '../core/store.ts';

/** A key as a person reads it: its tuple, or its bytes in hex. For messages of tests only: keys can hold secrets. */
export function printKey(key: Key): string {
  try {
    return inspect(decodeTuple(key), { breakLength: Number.POSITIVE_INFINITY });
  } catch {
    return `0x${Buffer.from(key).toString('hex')}`;
  }
}
