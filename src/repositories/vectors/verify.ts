import type { Envelope } from '../../core/codec/index.ts';
import { NorimakiError } from '../../core/errors.ts';
import { keyName } from '../../core/keys/index.ts';
import type { IdPart } from '../../core/model/model.ts';
import type { Stored } from '../../core/store.ts';
import type { VectorMatch } from '../../core/vectors/index.ts';
import type { Version } from '../../core/version.ts';
import type { RepositoryContext } from '../context.ts';
import type { Values } from '../entity.ts';
import { describeRecord, isGone, openStored } from '../snapshot.ts';
import { parseEntries, type VectorEntry } from './entry.ts';
import { deleteVectors } from './reserve.ts';
import type { VectorSpace } from './space.ts';
import { ageOf, isNamedBy, ownerOf, type VectorOwner } from './vector-id.ts';

/** A match whose record holds just what was scored. */
export interface VerifiedMatch {
  readonly match: VectorMatch;
  /** The key of the record as text: the same for every vector of one record. */
  readonly name: string;
  readonly values: Values;
  readonly version: Version;
  /** What the record says of the vectors of its text. */
  readonly entry: VectorEntry;
  /** The passage that was scored; `undefined` where a text has one vector. */
  readonly passage: number | undefined;
}

/** A match, verified; or why it is none: `garbage` never can be one again. */
export type Verdict = VerifiedMatch | 'dropped' | 'garbage';

/** Records that one read asks for. */
const CHUNK = 256;

/** A vector that was replaced while a search was under way is being deleted by whoever replaced it. */
const GARBAGE_AGE_MS = 60_000;
const MAX_CLEARED = 32;

/**
 * Reads the records of matches, strongly, and accepts a match only if its record names that very generation: then the
 * score is that of what is returned, whatever the index still holds. Source: vectors.md 3.2.
 */
export async function verifyMatches(
  context: RepositoryContext,
  space: VectorSpace,
  matches: readonly VectorMatch[],
  signal: AbortSignal | undefined,
): Promise<Verdict[]> {
  const { client, keys } = context;
  const owners = matches.map(({ id }) => ownerOf(id));
  const names = owners.map((owner) => owner && keys.record(owner.id));
  // Of a record with many passages once: each of them is judged by the same read.
  const byName = new Map(names.flatMap((key) => (key === undefined ? [] : [[keyName(key), key]])));
  const wanted = [...byName.values()];
  const records = new Map<string, Read>();
  for (let from = 0; from < wanted.length; from += CHUNK) {
    const some = wanted.slice(from, from + CHUNK);
    const stored = await client.getMany(some, { signal });
    for (const [i, key] of some.entries()) records.set(keyName(key), new Read(context, stored[i]));
  }
  return matches.map((match, i) => {
    const owner = owners[i];
    const key = names[i];
    if (owner === undefined || key === undefined) return 'garbage';
    const name = keyName(key);
    const found = judge(context, space, owner, records.get(name));
    return typeof found === 'string' ? found : { match, name, passage: owner.passage, ...found };
  });
}

/** A record as it was read, decoded once. */
class Read {
  readonly #context: RepositoryContext;
  readonly #stored: Stored | undefined;
  #opened: ReturnType<typeof readable> | 'not yet' = 'not yet';

  constructor(context: RepositoryContext, stored: Stored | undefined) {
    this.#context = context;
    this.#stored = stored;
  }

  get version(): Version | undefined {
    return this.#stored?.version;
  }

  open(id: readonly IdPart[]): ReturnType<typeof readable> {
    if (this.#opened === 'not yet') this.#opened = this.#stored && readable(this.#context, id, this.#stored);
    return this.#opened;
  }
}

function judge(
  context: RepositoryContext,
  space: VectorSpace,
  owner: VectorOwner,
  read: Read | undefined,
): Pick<VerifiedMatch, 'values' | 'version' | 'entry'> | 'dropped' | 'garbage' {
  const version = read?.version;
  if (read === undefined || version === undefined) return 'garbage';
  const record = read.open(owner.id);
  if (record === undefined) return 'dropped';
  const entry = parseEntries(record.envelope.vectors).find((known) => isNamedBy(known, owner));
  if (entry === undefined) return 'garbage';
  if (entry.state !== 'wanted' || entry.space !== space.id || isGone(context, record.envelope)) return 'dropped';
  return { values: record.values, version, entry };
}

/** A record that cannot be read is no hit, and no reason to keep the others from who asked for none of them by name. */
export function readable(
  context: RepositoryContext,
  id: readonly IdPart[],
  stored: Stored,
): { readonly envelope: Envelope; readonly values: Values } | undefined {
  try {
    const opened = openStored(context, id, stored);
    // A tombstone has no fields.
    if (isGone(context, opened.envelope)) return { envelope: opened.envelope, values: {} };
    const { values } = context.model.codec.decode(opened, () => describeRecord(context.model, id));
    return { envelope: opened.envelope, values };
  } catch (error) {
    if (NorimakiError.is(error, 'record.corrupt')) return undefined;
    throw error;
  }
}

/**
 * Deletes some of the garbage that a search has met, so that the next one does not meet it again. Sound without a fence:
 * a generation is named by its record before its vector is inserted, and once it is no longer named it never is again.
 */
export async function clearAway(
  context: RepositoryContext,
  { namespace }: VectorSpace,
  garbage: readonly VectorMatch[],
): Promise<void> {
  const old = garbage.filter(({ id }) => {
    const owner = ownerOf(id);
    return owner !== undefined && ageOf(owner.generation, context.environment) > GARBAGE_AGE_MS;
  });
  const cleared = old.slice(0, MAX_CLEARED).map(({ id }) => ({ type: 'delete', namespace, id }) as const);
  await deleteVectors(context, cleared);
}
