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
  /** Hash of the vector that the user gave in place of the text's. */
  readonly given: string | undefined;
  /** Where the text was cut: how many vectors there are of this generation, and a hash of where. */
  readonly passages: { readonly count: number; readonly cuts: string } | undefined;
}

/** Of base64url characters, each 6 bits. */
export const SPACE_ID_LENGTH = 8;
export const GENERATION_LENGTH = 22;
export const HASH_LENGTH = 16;

const SPACE = 1;
const GENERATION = SPACE + SPACE_ID_LENGTH;
const SOURCE = GENERATION + GENERATION_LENGTH;
const GIVEN = SOURCE + HASH_LENGTH;

const NOT_GIVEN = '-'.repeat(HASH_LENGTH);

// Instead of the hash of a vector: what no hash begins with, the count as hexadecimal digits, the hash of the cuts.
const COUNT_LENGTH = 3;
export const CUTS_LENGTH = 3;
const OF_PASSAGES = '-'.repeat(HASH_LENGTH - COUNT_LENGTH - CUTS_LENGTH);

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
      ...parseOrigin(list.slice(at + GIVEN, at + VECTOR_ENTRY_LENGTH)),
    });
  }
  return entries;
}

function parseOrigin(text: string): Pick<VectorEntry, 'given' | 'passages'> {
  if (text === NOT_GIVEN) return { given: undefined, passages: undefined };
  if (!text.startsWith(OF_PASSAGES)) return { given: text, passages: undefined };
  const count = Number.parseInt(text.slice(OF_PASSAGES.length, -CUTS_LENGTH), 16);
  return { given: undefined, passages: { count, cuts: text.slice(-CUTS_LENGTH) } };
}

function formatOrigin({ given, passages }: VectorEntry): string {
  if (passages === undefined) return given ?? NOT_GIVEN;
  return OF_PASSAGES + passages.count.toString(16).padStart(COUNT_LENGTH, '0') + passages.cuts;
}

/** How many vectors the entries of an envelope name. */
export function countVectors(list: string | undefined): number {
  return parseEntries(list).reduce((sum, { passages }) => sum + (passages?.count ?? 1), 0);
}

export function formatEntries(entries: readonly VectorEntry[]): string | undefined {
  if (entries.length === 0) return undefined;
  return entries
    .map(
      (entry) =>
        (entry.state === 'wanted' ? WANTED : RESERVED) +
        entry.space +
        entry.generation +
        entry.source +
        formatOrigin(entry),
    )
    .join('');
}

/** The wanted generation in a space. */
export function wantedIn(list: string | undefined, space: string): VectorEntry | undefined {
  return parseEntries(list).find((entry) => entry.state === 'wanted' && entry.space === space);
}
