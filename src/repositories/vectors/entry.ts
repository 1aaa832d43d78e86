import { VECTOR_ENTRY_LENGTH } from '../../core/codec/index.ts';

/**
 * What the envelope says of one generation of one embedding:
 * - `wanted`: the vector that belongs to the record as it stands; the only one that a search may return it for;
 * - `reserved`: a writer is about to insert it, on a store without `commit`.
 *
 * A vector that its record names in neither way is garbage for ever: a generation is named before its vector is
 * inserted, and never again once another write has taken it out.
 */
type EntryState = 'wanted' | 'reserved';

export interface VectorEntry {
  readonly state: EntryState;
  /** The vector space that it is in: see `VectorSpace.id`. */
  readonly space: string;
  /** Never used again for any content of any record. */
  readonly generation: string;
  /** Hash of the text that was embedded. */
  readonly source: string;
  /** Hash of the vector that the user gave in place of the text's, or {@link NOT_GIVEN}. */
  readonly given: string;
}

/** Of base64url characters, each 6 bits. */
export const SPACE_ID_LENGTH = 8;
export const GENERATION_LENGTH = 22;
export const HASH_LENGTH = 16;

const SPACE = 1;
const GENERATION = SPACE + SPACE_ID_LENGTH;
const SOURCE = GENERATION + GENERATION_LENGTH;
const GIVEN = SOURCE + HASH_LENGTH;

export const NOT_GIVEN = '-'.repeat(HASH_LENGTH);

const WANTED = 'w';
const RESERVED = 'r';

/** The entries of an envelope. A state of a later program reads as reserved: not wanted, and not to be deleted. */
export function parseEntries(list: string | undefined): VectorEntry[] {
  const entries: VectorEntry[] = [];
  if (list === undefined) return entries;
  for (let at = 0; at < list.length; at += VECTOR_ENTRY_LENGTH) {
    entries.push({
      state: list.charAt(at) === WANTED ? 'wanted' : 'reserved',
      space: list.slice(at + SPACE, at + GENERATION),
      generation: list.slice(at + GENERATION, at + SOURCE),
      source: list.slice(at + SOURCE, at + GIVEN),
      given: list.slice(at + GIVEN, at + VECTOR_ENTRY_LENGTH),
    });
  }
  return entries;
}

export function formatEntries(entries: readonly VectorEntry[]): string | undefined {
  if (entries.length === 0) return undefined;
  return entries
    .map(
      (entry) =>
        (entry.state === 'wanted' ? WANTED : RESERVED) + entry.space + entry.generation + entry.source + entry.given,
    )
    .join('');
}

/** The wanted generation in a space. */
export function wantedIn(list: string | undefined, space: string): VectorEntry | undefined {
  return parseEntries(list).find((entry) => entry.state === 'wanted' && entry.space === space);
}
