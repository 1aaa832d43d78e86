import { throwIfAborted } from '../../core/abort.ts';
import { MAX_PAGE } from '../../core/checks.ts';
import { keyName } from '../../core/keys/index.ts';
import type { IdPart } from '../../core/model/model.ts';
import type { KeyRange, Stored } from '../../core/store.ts';
import { nextTurn } from '../../core/turn.ts';
import { distance } from '../../core/vectors/index.ts';
import type { RepositoryContext } from '../context.ts';
import { describeRecord, isGone } from '../snapshot.ts';
import type { IndexRange } from '../verbs/find.ts';
import { wantedIn } from './entry.ts';
import type { Found, SpaceQuery } from './nearest.ts';
import { scoreOf } from './score.ts';
import { vectorId } from './vector-id.ts';
import { readable, type VerifiedMatch } from './verify.ts';

type ScoreQuery = Omit<SpaceQuery, 'candidates'>;

/** Records that are scored before the event loop has its turn. */
const CHUNK = 256;

/** The ids of a range of an index; `undefined` if there are more than `most`. */
export async function candidatesOf(
  context: RepositoryContext,
  { group, ...whole }: IndexRange,
  most: number,
  signal: AbortSignal | undefined,
): Promise<IdPart[][] | undefined> {
  const ids: IdPart[][] = [];
  let range: KeyRange | undefined = whole;
  while (range !== undefined) {
    const page = await context.client.scan(range, { limit: Math.min(MAX_PAGE, most + 1), signal });
    for (const { key } of page.entries) ids.push(context.keys.indexedId(group, key));
    if (ids.length > most) return undefined;
    range = page.rest;
    await nextTurn();
  }
  return ids;
}

/** Scores the records with these ids one by one: exact, and the cheaper way where they are few. */
export async function findAmong(
  context: RepositoryContext,
  query: ScoreQuery,
  ids: readonly (readonly IdPart[])[],
): Promise<Found> {
  const { limit, signal } = query;
  let nearest: VerifiedMatch[] = [];
  for (let from = 0; from < ids.length; from += CHUNK) {
    throwIfAborted(signal);
    const scored = await scoreAll(context, query, ids.slice(from, from + CHUNK));
    nearest = [...nearest, ...scored].sort(byDistance).slice(0, limit);
    await nextTurn();
  }
  return { hits: nearest, exhausted: true, dropped: 0 };
}

async function scoreAll(
  context: RepositoryContext,
  { space, vector, isWanted, minScore, except, signal }: ScoreQuery,
  ids: readonly (readonly IdPart[])[],
): Promise<VerifiedMatch[]> {
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
  const vectors = await client.vectors.getMany(
    space.namespace,
    candidates.map(({ vectorId }) => vectorId),
    { signal },
  );
  return candidates.flatMap(({ vectorId, ...record }, i) => {
    const found = vectors[i];
    if (found === undefined) return [];
    const match = { id: vectorId, distance: distance(metric, vector, found) };
    return minScore !== undefined && scoreOf(metric, match.distance) < minScore ? [] : [{ ...record, match }];
  });
}

function read(context: RepositoryContext, space: string, id: readonly IdPart[], stored: Stored | undefined) {
  const record = stored && readable(context, id, stored);
  const entry = record && wantedIn(record.envelope.vectors, space);
  if (stored === undefined || record === undefined || entry === undefined) return undefined;
  if (isGone(context, record.envelope)) return undefined;
  const name = vectorId(() => describeRecord(context.model, id), id, entry.generation);
  return { values: record.values, version: stored.version, vectorId: name };
}

function byDistance(a: VerifiedMatch, b: VerifiedMatch): number {
  return a.match.distance - b.match.distance || (a.match.id < b.match.id ? -1 : 1);
}
