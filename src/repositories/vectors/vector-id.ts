import type { Environment } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import { decodeTuple, encodeTuple } from '../../core/keys/index.ts';
import type { IdPart } from '../../core/model/model.ts';
import { GENERATION_LENGTH } from './entry.ts';

/** Bytes of a vector's id that the record's id may take: what 512 characters hold as base64url, less the generation. */
const MAX_RECORD_ID_BYTES = Math.floor(((512 - GENERATION_LENGTH) * 3) / 4);

/** A new generation: 48 bits of time, so that its age can be told, and 80 of chance. */
export function newGeneration({ clock, random }: Environment): string {
  const bytes = Buffer.alloc(16);
  bytes.writeUIntBE(Math.max(0, Math.trunc(clock.now())), 0, 6);
  bytes.set(random.bytes(10), 6);
  return bytes.toString('base64url');
}

/** How long ago a generation was made, in milliseconds, by this machine's clock. */
export function ageOf(generation: string, { clock }: Environment): number {
  return clock.now() - Buffer.from(generation, 'base64url').readUIntBE(0, 6);
}

/** The id of a record and a generation, as the id of a vector. */
export function vectorId(describe: () => string, id: readonly IdPart[], generation: string): string {
  const bytes = encodeTuple(id);
  if (bytes.length > MAX_RECORD_ID_BYTES) {
    const message = `The id of ${describe()} takes ${bytes.length} bytes; with @Embedding the limit is ${MAX_RECORD_ID_BYTES}.`;
    throw new NorimakiError('size.exceeded', message, { what: 'id', bytes: bytes.length, limit: MAX_RECORD_ID_BYTES });
  }
  return generation + Buffer.from(bytes).toString('base64url');
}

export interface VectorOwner {
  readonly id: readonly IdPart[];
  readonly generation: string;
}

/** Whose vector it is; `undefined` for an id that no repository has made. */
export function ownerOf(vectorId: string): VectorOwner | undefined {
  if (!/^[\w-]{22}/.test(vectorId)) return undefined;
  try {
    const id = decodeTuple(new Uint8Array(Buffer.from(vectorId.slice(GENERATION_LENGTH), 'base64url')));
    // Written by vectorId, or by a stranger: then no record is found under it.
    return { id: id as IdPart[], generation: vectorId.slice(0, GENERATION_LENGTH) };
  } catch {
    return undefined;
  }
}
