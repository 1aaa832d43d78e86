import { decodeTuple, encodeTuple } from '../../core/keys/index.ts';
import type { IdPart } from '../../core/model/model.ts';

/** An id as a string that no other id has. */
export function keyOf(id: readonly IdPart[]): string {
  return Buffer.from(encodeTuple(id)).toString('base64url');
}

/** The id that a key was made of. */
export function idOfKey(key: string): IdPart[] {
  // What was made of an id.
  return decodeTuple(Buffer.from(key, 'base64url')) as IdPart[];
}
