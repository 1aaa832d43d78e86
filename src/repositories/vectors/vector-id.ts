import type { Environment } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import { decodeTuple, encodeTuple } from '../../core/keys/index.ts';
import type { IdPart } from '../../core/model/model.ts';
import { GENERATION_LENGTH, type VectorEntry } from './entry.ts';

/** Behind the generation, where there are passages: a character that base64url has not, and three hexadecimal digits. */
const PASSAGE_MARK = '.';
const PASSAGE_LENGTH = 4;

/** Bytes of a vector's id that the record's id may take: what 512 characters hold as base64url, less what is before. */
function mostBytes(before: number): number {
  return Math.floor(((512 - before) * 3) / 4);
}

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

/** The ids of the vectors of one generation: of the record's id, the generation, and the number of a passage if there are. */
export function vectorIds(
  describe: () => string,
  id: readonly IdPart[],
  { generation, passages }: Pick<VectorEntry, 'generation' | 'passages'>,
): readonly string[] {
  const bytes = encodeTuple(id);
  const limit = mostBytes(GENERATION_LENGTH + (passages === undefined ? 0 : PASSAGE_LENGTH));
  if (bytes.length > limit) {
    const message = `The id of ${describe()} takes ${bytes.length} bytes; with @Embedding the limit is ${limit}.`;
    throw new NorimakiError('size.exceeded', message, { what: 'id', bytes: bytes.length, limit });
  }
  const record = Buffer.from(bytes).toString('base64url');
  if (passages === undefined) return [generation + record];
  return Array.from({ length: passages.count }, (_, passage) => {
    const number = passage.toString(16).padStart(PASSAGE_LENGTH - PASSAGE_MARK.length, '0');
    return generation + PASSAGE_MARK + number + record;
  });
}

export interface VectorOwner {
  readonly id: readonly IdPart[];
  readonly generation: string;
  /** Of which passage; `undefined` for the one vector of a whole text. */
  readonly passage: number | undefined;
}

/** Whose vector it is; `undefined` for an id that no repository has made. */
export function ownerOf(vectorId: string): VectorOwner | undefined {
  if (!/^[\w-]{22}/.test(vectorId)) return undefined;
  const number = /^.{22}\.([\da-f]{3})/.exec(vectorId)?.[1];
  const rest = vectorId.slice(GENERATION_LENGTH + (number === undefined ? 0 : PASSAGE_LENGTH));
  try {
    const id = decodeTuple(new Uint8Array(Buffer.from(rest, 'base64url')));
    const passage = number === undefined ? undefined : Number.parseInt(number, 16);
    // Written by vectorIds, or by a stranger: then no record is found under it.
    return { id: id as IdPart[], generation: vectorId.slice(0, GENERATION_LENGTH), passage };
  } catch {
    return undefined;
  }
}

/** Whether an entry names that very vector. */
export function isNamedBy({ generation, passages }: VectorEntry, owner: VectorOwner): boolean {
  if (generation !== owner.generation) return false;
  if (passages === undefined || owner.passage === undefined) return passages === owner.passage;
  return owner.passage < passages.count;
}
