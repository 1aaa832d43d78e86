import { throwIfAborted } from '../../core/abort.ts';
import { MAX_PAGE } from '../../core/checks.ts';
import { keyName } from '../../core/keys/index.ts';
import type { IdPart } from '../../core/model/model.ts';
import type { Key, KeyRange, Stored } from '../../core/store.ts';
import { nextTurn } from '../../core/turn.ts';
import { distance } from '../../core/vectors/index.ts';
import type { RepositoryContext } from '../context.ts';
import { describeRecord, isGone } from '../snapshot.ts';
import type { IndexRange } from '../verbs/find.ts';
import { wantedIn } from './entry.ts';
import type { Found, SpaceQuery } from './nearest.ts';
import { scoreOf } from './score.ts';
import { vectorIds } from './vector-id.ts';
import { readable, type VerifiedMatch } from './verify.ts';

type ScoreQuery = Omit<SpaceQuery, 'candidates' | 'everything'>;

/** Records that are scored before the event loop has its turn. */
const CHUNK = 256;
/** The same, where a record may have hundreds of vectors. */
const CHUNK_OF_PASSAGES = 16;

/** The ids of a range of an index; `undefined` if there are more than `most`. */
export function candidatesOf(
  context: RepositoryContext,
  { group, ...whole }: IndexRange,
  most: number,
  signal: AbortSignal | undefined,
): Promise<IdPart[][] | undefined> {
  return idsIn(context, whole, (key) => context.keys.indexedId(group, key), most, signal);
}

/** The ids of all records; `undefined` if there are more than `most`. */
export function allIds(
  context: RepositoryContext,
  most: number,
  signal: AbortSignal | undefined,
): Promise<IdPart[][] | undefined> {
  return idsIn(context, context.keys.allRecords(), (key) => context.keys.recordId(key), most, signal);
}

async function idsIn(
  context: RepositoryContext,
  whole: KeyRange,
  idOf: (key: Key) => IdPart[],
  most: number,
  signal: AbortSignal | undefined,
): Promise<IdPart[][] | undefined> {
  const ids: IdPart[][] = [];
  let range: KeyRange | undefined = whole;
  while (range !== undefined) {
    const page = await context.client.scan(range, { limit: Math.min(MAX_PAGE, most + 1), signal });
    for (const { key } of page.entries) ids.push(idOf(key));
    if (ids.length > most) return undefined;
    range = page.rest;
    await nextTurn();
  }
  return ids;
}

/**
 * Scores the records with these ids one by one: exact, and the cheaper way where they are few. Gives up, not `exhausted`,
 * beyond `most` vectors.
 */
export async function findAmong(
  context: RepositoryContext,
  query: ScoreQuery,
  ids: readonly (readonly IdPart[])[],
  most = Number.POSITIVE_INFINITY,
): Promise<Found> {
  const { limit, signal, space } = query;
  const chunk = space.spec.chunk === undefined ? CHUNK : CHUNK_OF_PASSAGES;
  let nearest: VerifiedMatch[] = [];
  let vectors = 0;
  for (let from = 0; from < ids.length; from += chunk) {
    throwIfAborted(signal);
    if (vectors > most) return { hits: nearest, exhausted: false, dropped: 0 };
    const scored = await scoreSettled(context, query, ids.slice(from, from + chunk));
    vectors += scored.vectors;
    nearest = [...nearest, ...scored.matches].sort(byDistance).slice(0, limit);
    await nextTurn();
  }
  return { hits: nearest, exhausted: true, dropped: 0 };
}

interface Scored {
  readonly matches: readonly VerifiedMatch[];
  /** How many were asked for. */
  readonly vectors: number;
}

/** A vector that is named and not there is still to be made, unless it was replaced since its record was read. */
async function scoreSettled(
  context: RepositoryContext,
  query: ScoreQuery,
  ids: readonly (readonly IdPart[])[],
): Promise<Scored> {
  const lacking = new Set<string>();
  const matches: VerifiedMatch[] = [];
  let vectors = 0;
  for (let left = ids; left.length > 0; ) {
    const scored = await scoreAll(context, query, left, lacking);
    matches.push(...scored.matches);
    vectors += scored.vectors;
    left = scored.again;
  }
  return { matches, vectors };
}

/** Where vectors of a generation are lacking that were not `lacking` before, its record is to be read `again`. */
async function scoreAll(
  context: RepositoryContext,
  { space, vector, isWanted, minScore, except, signal }: ScoreQuery,
  ids: readonly (readonly IdPart[])[],
  lacking: Set<string>,
): Promise<Scored & { readonly again: readonly (readonly IdPart[])[] }> {
  const { client, keys } = context;
  const { metric } = space.spec;
  const names = ids.map((id) => keys.record(id));
  const stored = await client.getMany(names, { signal });
  const candidates = ids.flatMap((id, i) => {
    const found = read(context, space.id, id, stored[i]);
    const key = names[i];
    if (found === undefined || key === undefined || keyName(key) === except) return [];
    if (isWanted !== undefined && !isWanted(found.record.values, found.record.version)) return [];
    return [{ id, own: found.vectorIds, record: { ...found.record, name: keyName(key) } }];
  });
  const asked = candidates.flatMap(({ own }) => own);
  const vectors = await client.vectors.getMany(space.namespace, asked, { signal });
  const matches: VerifiedMatch[] = [];
  const again: (readonly IdPart[])[] = [];
  let at = 0;
  for (const { id: recordId, own, record } of candidates) {
    const { generation, passages } = record.entry;
    const scored = own.flatMap((id, i) => {
      const found = vectors[at++];
      return found === undefined
        ? []
        : [{ passage: passages && i, match: { id, distance: distance(metric, vector, found) } }];
    });
    if (scored.length < own.length && !lacking.has(generation)) {
      lacking.add(generation);
      again.push(recordId);
      continue;
    }
    const [first, ...others] = scored;
    if (first === undefined) continue;
    const best = others.reduce((one, other) => (other.match.distance < one.match.distance ? other : one), first);
    if (minScore !== undefined && scoreOf(metric, best.match.distance) < minScore) continue;
    matches.push({ ...record, ...best });
  }
  return { matches, vectors: asked.length, again };
}

function read(context: RepositoryContext, space: string, id: readonly IdPart[], stored: Stored | undefined) {
  const record = stored && readable(context, id, stored);
  const entry = record && wantedIn(record.envelope.vectors, space);
  if (stored === undefined || record === undefined || entry === undefined) return undefined;
  if (isGone(context, record.envelope)) return undefined;
  const names = vectorIds(() => describeRecord(context.model, id), id, entry);
  return { record: { values: record.values, version: stored.version, entry }, vectorIds: names };
}

function byDistance(a: VerifiedMatch, b: VerifiedMatch): number {
  return a.match.distance - b.match.distance || (a.match.id < b.match.id ? -1 : 1);
}
