import type { Shape } from '../core/model/types.ts';
import type { ReadOptions, WatchOptions } from '../core/store.ts';
import type { ReindexOptions, ReindexResult, ReindexStepOptions } from './reindex/types.ts';
import type { Outbox } from './vectors/outbox.ts';
import type { BulkOptions, ItemResult } from './verbs/bulk.ts';
import type { CreateOptions } from './verbs/create.ts';
import type { DeleteOptions } from './verbs/delete.ts';
import type { MutateOptions } from './verbs/mutate.ts';
import type { ListOptions, Page } from './verbs/pages.ts';
import type { WritePlan } from './verbs/plan.ts';
import type { PutOptions } from './verbs/put.ts';
import type { SearchOptions, SearchQuery, SearchResult } from './verbs/search-types.ts';
import type { TouchOptions } from './verbs/touch.ts';
import type { EntityChanges } from './verbs/watch.ts';

/** What `mutate` ignores when its function returns it, so that `(p) => p.stock--` is a change like any other. */
// biome-ignore lint/suspicious/noConfusingVoidType: a function that returns nothing is the usual case.
type Ignored = string | number | bigint | boolean | symbol | null | undefined | void;

/** What `mutate` takes: changes the draft in place, or returns an object to replace it. */
export type Mutation<S extends Shape> = (draft: S['draft']) => S['draft'] | Ignored | Promise<S['draft'] | Ignored>;

export type CreateManyOptions = BulkOptions & Omit<CreateOptions, 'idempotencyKey'>;
export type PutManyOptions = BulkOptions & Omit<PutOptions, 'idempotencyKey' | 'ifMatch'>;
export type DeleteManyOptions = BulkOptions & Omit<DeleteOptions, 'ifMatch'>;

/** The writes of a repository, each resolving to what it would send instead of sending it. */
export interface Planner<S extends Shape> {
  create(entity: S['input'], options?: CreateOptions): Promise<WritePlan>;
  put(entity: S['input'], options?: PutOptions): Promise<WritePlan>;
  mutate(id: S['id'], fn: Mutation<S>, options?: MutateOptions<Partial<S['input']>>): Promise<WritePlan>;
  touch(id: S['id'], options?: TouchOptions): Promise<WritePlan>;
  delete(id: S['id'], options?: DeleteOptions): Promise<WritePlan>;
}

/**
 * The repository of one entity, from `db.repo(Entity)`. Every write is a compare-and-swap; none loses another's update.
 *
 * Errors of every verb: `argument.invalid`, `record.corrupt`, `store.unavailable`, `store.closed`, `aborted`.
 * Errors of every write: `validation.failed`, `size.exceeded`, `conflict.exhausted`, `outcome.unknown`, `record.newer`,
 * `already.exists` (a unique field).
 */
export interface Repository<S extends Shape> {
  /** The entity, or `undefined`. An expired entity is gone, whatever the store still holds. */
  get(id: S['id'], options?: ReadOptions): Promise<S['entity'] | undefined>;
  /** The entity. Errors: `not.found`. */
  getOrThrow(id: S['id'], options?: ReadOptions): Promise<S['entity']>;
  /** One answer for each id, in order. Not a snapshot: each is read on its own. */
  getMany(ids: readonly S['id'][], options?: ReadOptions): Promise<(S['entity'] | undefined)[]>;
  exists(id: S['id'], options?: ReadOptions): Promise<boolean>;
  /** The entity that holds a unique value: `findOne({ email })`, for the fields of one `@Unique`. */
  findOne(where: S['unique'], options?: ReadOptions): Promise<S['entity'] | undefined>;

  /** Stores a new entity. Errors: `already.exists`. */
  create(entity: S['input'], options?: CreateOptions): Promise<S['entity']>;
  /** Stores an entity whole, new or not; with `ifMatch`, only over the version that it is based on. Errors: `version.mismatch`. */
  put(entity: S['input'], options?: PutOptions): Promise<S['entity']>;
  /**
   * Changes an entity: reads it, hands `fn` a draft, writes it back if nobody else has written since, else starts over.
   * Resolves to the entity as this call left it. `fn` may run several times, so it should do nothing but change the
   * draft; if it throws, nothing is written for it. Applied exactly once even if replies of the store are lost;
   * `outcome.unknown` where nobody can tell. Concurrent calls for one entity share one write; then only the last of
   * them knows its version, and the others' `@Versioned` field is undefined.
   *
   * Errors: `not.found` without `ifAbsent`, `fence.stale`, `conflict.exhausted`, and whatever `fn` throws.
   *
   * @example
   * ```ts
   * await products.mutate('NORI-1', (p) => {
   *   if (p.stock === 0) throw new SoldOut();
   *   p.stock -= 1;
   * });
   * ```
   */
  mutate(id: S['id'], fn: Mutation<S>, options?: MutateOptions<Partial<S['input']>>): Promise<S['entity']>;
  /** Starts the deadline again, or sets another; changes nothing else. Errors: `not.found`. */
  touch(id: S['id'], options?: TouchOptions): Promise<S['entity']>;
  /** Whether there was an entity to delete. Errors: `version.mismatch` with `ifMatch`. */
  delete(id: S['id'], options?: DeleteOptions): Promise<boolean>;

  /** `create` for many, a bounded number at once; one that fails does not stop the others. */
  createMany(entities: readonly S['input'][], options?: CreateManyOptions): Promise<ItemResult<S['entity']>[]>;
  /** `put` for many, a bounded number at once; one that fails does not stop the others. */
  putMany(entities: readonly S['input'][], options?: PutManyOptions): Promise<ItemResult<S['entity']>[]>;
  /** `delete` for many, a bounded number at once; one that fails does not stop the others. */
  deleteMany(ids: readonly S['id'][], options?: DeleteManyOptions): Promise<ItemResult<boolean>[]>;

  /**
   * The same writes, planned and not sent: keys, preconditions and expiry.
   *
   * @example
   * ```ts
   * const { steps } = await products.plan().delete('NORI-1');
   * ```
   */
  plan(): Planner<S>;
}

/** What a repository can do besides, where the store reads ranges. */
export interface ScanRepository<S extends Shape> {
  /** Every entity, in the order of ids, in bounded memory. Not a snapshot. */
  scan(options?: Omit<ListOptions, 'cursor'>): AsyncIterableIterator<S['entity']>;
  /** One page of entities in the order of ids, and the cursor to the next. */
  list(options?: ListOptions): Promise<Page<S['entity']>>;
  /** How many entities there are, or how many meet conditions on an index. Reads them all. */
  count(options?: ReadOptions & { readonly where?: S['where'] | undefined }): Promise<number>;
  /**
   * One page of the entities that meet conditions on one `@Index`, in its order: equality on its leading fields, a range on the last.
   *
   * @example
   * ```ts
   * const { items, cursor } = await films.find({ year: { gte: 1990, lt: 2000 } }, { limit: 20 });
   * ```
   */
  find(where: S['where'], options?: ListOptions): Promise<Page<S['entity']>>;
}

/** What a repository can do besides, where the store tells what is written. */
export interface WatchRepository<S extends Shape> {
  /**
   * Tells which entities are written, by whomever, until its signal fires or the loop is left. The first change is `'start'`:
   * every write that is acknowledged from then on is told. If the store cannot keep up with that, or its connection breaks,
   * `'lost'` says so at once, and `'start'` when nothing is missed any more. It names what was written; read it if you need it.
   * An entity that expires is not told.
   *
   * Errors of a step: `store.unavailable` where it cannot start at all, `aborted`, `store.closed`.
   *
   * @example
   * ```ts
   * for await (const change of products.watch({ signal })) {
   *   if (change.type === 'put' || change.type === 'delete') cache.delete(change.id);
   *   else cache.clear(); // it starts here, or has missed something
   * }
   * ```
   */
  watch(options?: WatchOptions): EntityChanges<S['id']>;
  /** Tells when one entity is written. */
  watch(id: S['id'], options?: WatchOptions): EntityChanges<S['id']>;
}

/** What a repository can do besides, where the store has vectors and the entity an `@Embedding`. */
export interface VectorRepository<S extends Shape> {
  /**
   * The entities nearest to a text or a vector. Each hit was read from its record, and its score is that of what the
   * record holds now: whatever the index still has of before is left out.
   *
   * Errors: `argument.invalid`, `embedding.mismatch`, `embedder.unavailable`, `embedder.rejected`.
   *
   * @example
   * ```ts
   * const { hits } = await products.search('seaweed sheets', { limit: 5, where: { inStock: true } });
   * for (const { entity, score } of hits) console.log(score.toFixed(2), entity.name);
   * ```
   */
  search(
    query: SearchQuery,
    options?: SearchOptions<S['where'], S['embedding'], S['entity']>,
  ): Promise<SearchResult<S['entity']>>;
  /** The entities nearest to one of them, by its own vectors; itself left out. Errors: `not.found`. */
  similarTo(
    id: S['id'],
    options?: SearchOptions<S['where'], S['embedding'], S['entity']>,
  ): Promise<SearchResult<S['entity']>>;
  /** The vector of an entity, `undefined` if it has none (yet). Errors: `not.found`. */
  vectorOf(
    id: S['id'],
    options?: Pick<SearchOptions<S['where'], S['embedding']>, 'field' | 'signal'>,
  ): Promise<Float32Array | undefined>;

  /**
   * Moves an embedding to another embedder, metric or index, by default to what the code says now, while others read and
   * write: builds the new vectors beside the old ones, compares searches with exact ones, then switches. Searches answer
   * from the old vectors until then. Stopped or crashed, the same call goes on where it was. The old vectors are kept
   * until `finishReindex`. Needs a store with scan and commit.
   *
   * Errors: `reindex.conflict`, `reindex.incomplete`, `reindex.recall`, `capability.missing`, `embedder.unavailable`.
   *
   * @example
   * ```ts
   * await products.reindex({ embedder: newEmbedder, onProgress: ({ done, total }) => console.log(done, total) });
   * await products.finishReindex();
   * ```
   */
  reindex(options?: ReindexOptions<S['embedding']>): Promise<ReindexResult>;
  /** Drops the vectors that the last `reindex` kept. `false`: there were none. Errors: `reindex.conflict` while one is under way. */
  finishReindex(options?: ReindexStepOptions<S['embedding']>): Promise<boolean>;
  /**
   * Gives up a `reindex` that is under way, or searches the former vectors again, brought up to date first. `false`:
   * there is nothing to take back. Errors: `embedding.mismatch` where this program lacks the former embedder.
   */
  rollbackReindex(options?: ReindexStepOptions<S['embedding']>): Promise<boolean>;
}

/** What a repository can do besides, where the store has vectors, reads ranges and commits. */
export interface OutboxRepository<S extends Shape> {
  /** The entities whose vectors are still to be made; for embeddings with `mode: 'deferred'`. */
  readonly outbox: Outbox<S['id']>;
}
