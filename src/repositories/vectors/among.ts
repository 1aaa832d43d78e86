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
    const scored = await scoreAll(context, query, ids.slice(from, from + chunk));
    vectors += scored.vectors;
    nearest = [...nearest, ...scored.matches].sort(byDistance).slice(0, limit);
    await nextTurn();
  }
  return { hits: nearest, exhausted: true, dropped: 0 };
}

async function scoreAll(
  context: RepositoryContext,
  { space, vector, isWanted, minScore, except, signal }: ScoreQuery,
  ids: readonly (readonly IdPart[])[],
): Promise<{ readonly matches: VerifiedMatch[]; readonly vectors: number }> {
  const { client, keys } = context;
  const { metric } = space.spec;
  const names = ids.map((id) => keys.record(id));
  const stored = await client.getMany(names, { signal });
  const candidates = ids.flatMap((id, i) => {
    const found = read(context, space.id, id, stored[i]);
    const key = names[i];
    if (found === undefined || key === undefined || keyName(key) === except) return [];
    if (isWanted !== undefined && !isWanted(found.values, found.version)) return [];
    return [{ ...found, name: keyName(key) }];
  });
  const asked = candidates.flatMap((candidate) => candidate.vectorIds);
  const vectors = await client.vectors.getMany(space.namespace, asked, { signal });
  let at = 0;
  const matches = candidates.flatMap(({ vectorIds: own, ...record }): VerifiedMatch[] => {
    const scored = own.flatMap((id, i) => {
      const found = vectors[at++];
      const passage = record.entry.passages && i;
      return found === undefined ? [] : [{ passage, match: { id, distance: distance(metric, vector, found) } }];
    });
    const [first, ...others] = scored;
    if (first === undefined) return [];
    const best = others.reduce((one, other) => (other.match.distance < one.match.distance ? other : one), first);
    if (minScore !== undefined && scoreOf(metric, best.match.distance) < minScore) return [];
    return [{ ...record, ...best }];
  });
  return { matches, vectors: asked.length };
}

function read(context: RepositoryContext, space: string, id: readonly IdPart[], stored: Stored | undefined) {
  const record = stored && readable(context, id, stored);
  const entry = record && wantedIn(record.envelope.vectors, space);
  if (stored === undefined || record === undefined || entry === undefined) return undefined;
  if (isGone(context, record.envelope)) return undefined;
  const names = vectorIds(() => describeRecord(context.model, id), id, entry);
  return { values: record.values, version: stored.version, entry, vectorIds: names };
}

function byDistance(a: VerifiedMatch, b: VerifiedMatch): number {
  return a.match.distance - b.match.distance || (a.match.id < b.match.id ? -1 : 1);
}
