import { NorimakiError } from '../../core/errors.ts';
import { keyName } from '../../core/keys/index.ts';
import type { EmbeddingModel, IdPart } from '../../core/model/model.ts';
import { checkVector, MAX_K } from '../../core/vectors/index.ts';
import type { RepositoryContext } from '../context.ts';
import { hydrate } from '../entity.ts';
import { describeRecord, isGone, openStored } from '../snapshot.ts';
import { allIds, candidatesOf, findAmong } from '../vectors/among.ts';
import type { SpacesInUse } from '../vectors/catalog.ts';
import { wantedIn } from '../vectors/entry.ts';
import { meanOf } from '../vectors/mean.ts';
import { type Found, findNearest, type SpaceQuery } from '../vectors/nearest.ts';
import { countPending } from '../vectors/outbox-entry.ts';
import { passageOf } from '../vectors/passages.ts';
import { scoreOf } from '../vectors/score.ts';
import { GIVEN, type VectorSpace } from '../vectors/space.ts';
import type { VectorContext } from '../vectors/vector-context.ts';
import { vectorIds } from '../vectors/vector-id.ts';
import type { VerifiedMatch } from '../vectors/verify.ts';
import { wanting } from '../vectors/where.ts';
import { type Conditions, servingRange } from './find.ts';
import { notFound } from './mutate.ts';
import type { SearchHit, SearchOptions, SearchQuery, SearchResult } from './search-types.ts';

/** So few are scored one by one without a look at the graph. */
const FEW = 128;

interface Target {
  readonly field: string;
  readonly space: VectorSpace;
  readonly vector: Float32Array;
}

/** Errors: `argument.invalid`, `embedding.mismatch`, those of the embedder. */
export async function searchEntities(
  context: RepositoryContext,
  query: SearchQuery,
  options: SearchOptions,
): Promise<SearchResult<object>> {
  return withIndexes(context, async (vectors) => {
    const targets = await Promise.all(
      (await searched(context, vectors, options.field)).map(async ([field, { active }]) => ({
        field,
        space: active,
        vector: await queryVector(context, vectors, field, active, query, options.signal),
      })),
    );
    return searchTargets(context, targets, options, undefined);
  });
}

/** The nearest of an entity, itself left out. Errors: `not.found`. */
export async function searchSimilar(
  context: RepositoryContext,
  id: readonly IdPart[],
  options: SearchOptions,
): Promise<SearchResult<object>> {
  return withIndexes(context, async (vectors) => {
    const fields = await searched(context, vectors, options.field);
    const key = context.keys.record(id);
    const found = await Promise.all(
      fields.map(async ([field, { active }]) => {
        const vector = await storedVector(context, id, active, options.signal);
        return vector && { field, space: active, vector };
      }),
    );
    const targets = found.filter((target) => target !== undefined);
    return searchTargets(context, targets, options, keyName(key));
  });
}

/** The vector of an entity; `undefined` if it has none (yet). Errors: `not.found`. */
export async function vectorOf(
  context: RepositoryContext,
  id: readonly IdPart[],
  options: Pick<SearchOptions, 'field' | 'signal'>,
): Promise<Float32Array | undefined> {
  return withIndexes(context, async (vectors) => {
    const [first, ...others] = await searched(context, vectors, options.field);
    if (first === undefined || others.length > 0) throw severalEmbeddings(context);
    return storedVector(context, id, first[1].active, options.signal);
  });
}

/** Once more with a fresh catalog, where another process has dropped a namespace since ours was read. */
async function withIndexes<T>(context: RepositoryContext, call: (vectors: VectorContext) => Promise<T>): Promise<T> {
  const { vectors, model } = context;
  if (vectors === undefined) {
    throw new NorimakiError('argument.invalid', `${model.name} has no @Embedding to search.`, { argument: 'field' });
  }
  try {
    return await call(vectors);
  } catch (error) {
    if (!NorimakiError.is(error, 'index.missing')) throw error;
    vectors.catalog.forgetIndexes();
    return call(vectors);
  }
}

async function searched(
  { model }: RepositoryContext,
  { catalog }: VectorContext,
  field: string | undefined,
): Promise<[string, SpacesInUse][]> {
  const { spaces } = await catalog.current();
  const wanted = model.embeddings.filter(({ name }) => field === undefined || name === field);
  if (wanted.length === 0) {
    const names = model.embeddings.map(({ name }: EmbeddingModel) => name).join(', ');
    throw new NorimakiError('argument.invalid', `${model.name} has no embedding ${field}; it has ${names}.`, {
      argument: 'field',
    });
  }
  // The catalog has every embedding of the model.
  return wanted.map(({ name }) => [name, spaces.get(name) as SpacesInUse]);
}

async function queryVector(
  { model }: RepositoryContext,
  { embedders }: VectorContext,
  field: string,
  { spec }: VectorSpace,
  query: SearchQuery,
  signal: AbortSignal | undefined,
): Promise<Float32Array> {
  if (typeof query !== 'string') {
    const vector = query instanceof Float32Array ? query : Float32Array.from(query);
    checkVector(vector, spec.dimensions);
    return vector;
  }
  if (query.trim() === '') {
    throw new NorimakiError('argument.invalid', 'The text to search for is blank.', { argument: 'query' });
  }
  if (spec.embedder === GIVEN) {
    throw new NorimakiError(
      'argument.invalid',
      `The vectors of ${model.name}.${field} are given, not made of texts: search by a vector.`,
      { argument: 'query' },
    );
  }
  const client = embedders.get(spec.embedder);
  if (client !== undefined) return client.embed(query.toWellFormed(), { signal });
  throw new NorimakiError(
    'embedding.mismatch',
    `The vectors of ${model.name}.${field} were made by the embedder ${spec.embedder}, which this program does not have. Pass it in open(store, { embedders }), or move to another with reindex().`,
    { entity: model.name, embedding: field },
  );
}

async function storedVector(
  context: RepositoryContext,
  id: readonly IdPart[],
  space: VectorSpace,
  signal: AbortSignal | undefined,
): Promise<Float32Array | undefined> {
  let before: string | undefined;
  for (;;) {
    const stored = await context.client.get(context.keys.record(id), { signal });
    const opened = stored && openStored(context, id, stored);
    if (opened === undefined || isGone(context, opened.envelope)) throw notFound(context, id);
    const entry = wantedIn(opened.envelope.vectors, space.id);
    if (entry === undefined) return undefined;
    const names = vectorIds(() => describeRecord(context.model, id), id, entry);
    const found = await context.client.vectors.getMany(space.namespace, names, { signal });
    const vectors = found.filter((vector) => vector !== undefined);
    // A vector that is named and not there is still to be made, unless it was replaced since the record was read.
    if (vectors.length === names.length || entry.generation === before) {
      return entry.passages === undefined || vectors.length === 0 ? vectors[0] : meanOf(space.spec.metric, vectors);
    }
    before = entry.generation;
  }
}

async function searchTargets(
  context: RepositoryContext,
  targets: readonly Target[],
  options: SearchOptions,
  except: string | undefined,
): Promise<SearchResult<object>> {
  const { limit = 10, where, filter, minScore, signal } = options;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_K) {
    throw new NorimakiError('argument.invalid', `limit is a whole number from 1 to ${MAX_K}.`, { argument: 'limit' });
  }
  checkComparable(context, targets);
  const conditions = where && { ...where };
  const isWanted = wanting(context.model, conditions, filter);
  const searches = targets.map(({ space, vector }) =>
    searchOne(context, { space, vector, limit, isWanted, minScore, except, signal }, conditions),
  );
  const [found, pending] = await Promise.all([Promise.all(searches), countPending(context, signal)]);
  return {
    hits: bestOf(context, targets, found, limit),
    exhausted: found.every(({ exhausted }) => exhausted),
    dropped: found.reduce((sum, { dropped }) => sum + dropped, 0),
    pending,
  };
}

/** Few candidates are scored one by one; many are found through the graph, by widening. */
async function searchOne(
  context: RepositoryContext,
  query: Omit<SpaceQuery, 'candidates' | 'everything'>,
  where: Conditions | undefined,
): Promise<Found> {
  const { scan } = context.client.store.capabilities;
  const range = where && scan ? servingRange(context, where) : undefined;
  const isCut = scan && query.space.spec.chunk !== undefined;
  const everything = isCut ? (most: number) => allIds(context, most, query.signal) : undefined;
  if (range === undefined) return findNearest(context, { ...query, candidates: undefined, everything });
  const candidates = (most: number) => candidatesOf(context, range, most, query.signal);
  const few = await candidates(FEW);
  if (few !== undefined) return findAmong(context, query, few);
  return findNearest(context, { ...query, candidates, everything });
}

/** Every entity once, by its best embedding. */
function bestOf(
  { model }: RepositoryContext,
  targets: readonly Target[],
  found: readonly Found[],
  limit: number,
): SearchHit<object>[] {
  const best = new Map<string, { score: number; target: Target; hit: VerifiedMatch }>();
  for (const [i, target] of targets.entries()) {
    for (const hit of found[i]?.hits ?? []) {
      const score = scoreOf(target.space.spec.metric, hit.match.distance);
      const known = best.get(hit.name);
      if (known === undefined || score > known.score) best.set(hit.name, { score, target, hit });
    }
  }
  const nearest = [...best.values()].sort((a, b) => b.score - a.score).slice(0, limit);
  return nearest.map(({ score, target: { field, space }, hit }) => {
    const embedding = model.embeddings.find(({ name }) => name === field);
    const passage = embedding && passageOf(model, embedding, space, hit);
    const found = { entity: hydrate(model, hit.values, hit.version), score, field };
    return passage === undefined ? found : { ...found, passage };
  });
}

function checkComparable(context: RepositoryContext, targets: readonly Target[]): void {
  const kinds = new Set(targets.map(({ space: { spec } }) => JSON.stringify([spec.embedder, spec.metric])));
  if (kinds.size > 1) throw severalEmbeddings(context);
}

function severalEmbeddings({ model }: RepositoryContext): NorimakiError<'argument.invalid'> {
  const names = model.embeddings.map(({ name }) => name).join(', ');
  return new NorimakiError(
    'argument.invalid',
    `${model.name} has several embeddings, which cannot be compared with each other here: name one in field (${names}).`,
    { argument: 'field' },
  );
}
