import type { IdPart } from '../core/model/model.ts';
import type { Shape } from '../core/model/types.ts';
import type { ReadOptions, WatchOptions } from '../core/store.ts';
import type { RepositoryContext } from './context.ts';
import { fromInput } from './entity.ts';
import { type Inside, insideOfContext, type Origin } from './inside.ts';
import { finishReindex, rollbackReindex } from './reindex/finish.ts';
import { reindex } from './reindex/reindex.ts';
import type { ReindexOptions, ReindexStepOptions } from './reindex/types.ts';
import type {
  Mutation,
  OutboxRepository,
  Planner,
  Repository,
  ScanRepository,
  VectorRepository,
  WatchRepository,
} from './repository.ts';
import { repositoryCalls } from './telemetry.ts';
import { admit, admitted } from './tenancy/admission.ts';
import type { Access, AdmitOptions } from './tenancy/policy.ts';
import { EntityOutbox } from './vectors/outbox.ts';
import { forEachItem } from './verbs/bulk.ts';
import { createOperation } from './verbs/create.ts';
import { deleteOperation } from './verbs/delete.ts';
import { countFound, findEntities, findUnique } from './verbs/find.ts';
import { countEntities, listEntities, scanEntities } from './verbs/list.ts';
import { MutateOperation, type Mutator, notFound } from './verbs/mutate.ts';
import type { ListOptions } from './verbs/pages.ts';
import { planOperation } from './verbs/plan.ts';
import { PutOperation, refuseEmptyIfMatch } from './verbs/put.ts';
import { exists, getMany, getOne } from './verbs/read.ts';
import { searchEntities, searchSimilar, vectorOf } from './verbs/search.ts';
import type { SearchOptions, SearchQuery } from './verbs/search-types.ts';
import { touchOperation } from './verbs/touch.ts';
import { EntityWatch, isWatchOptions } from './verbs/watch.ts';
import type { WriteCallOptions } from './write/member.ts';
import type { Operation } from './write/operation.ts';

type Full<S extends Shape> = Repository<S> & ScanRepository<S> & VectorRepository<S> & WatchRepository<S>;
type Options<Verb extends keyof Full<Shape>, At extends 0 | 1 | 2 = 1> = Parameters<Full<Shape>[Verb]>[At];

/** A write that is ready to be run or planned. */
interface Prepared<R> {
  readonly id: readonly IdPart[];
  readonly operation: Operation<R>;
}

/** `undefined` for what did not come from `db.repo()`. */
export function insideOf(repository: object): Inside | undefined {
  return EntityRepository.insideOf(repository);
}

/** All verbs of one entity; `db.repo()` shows those that the store can carry. Untyped inside: the shape is the caller's. */
export class EntityRepository implements Full<Shape>, OutboxRepository<Shape> {
  readonly outbox: EntityOutbox;
  readonly #context: RepositoryContext;
  readonly #origin: Origin;

  constructor(context: RepositoryContext, origin: Origin) {
    this.#context = context;
    this.#origin = origin;
    this.outbox = new EntityOutbox(context);
  }

  static insideOf(repository: object): Inside | undefined {
    if (!(#context in repository)) return undefined;
    return insideOfContext(repository.#context, repository.#origin, (options, read) =>
      repository.#read('getMany', options, read),
    );
  }

  get(id: unknown, options: ReadOptions = {}): Promise<object | undefined> {
    return this.#read('get', options, () => getOne(this.#context, this.#id(id), options));
  }

  getOrThrow(id: unknown, options: ReadOptions = {}): Promise<object> {
    return this.#read('getOrThrow', options, async () => {
      const parts = this.#id(id);
      const entity = await getOne(this.#context, parts, options);
      if (entity === undefined) throw notFound(this.#context, parts);
      return entity;
    });
  }

  getMany(ids: readonly unknown[], options: ReadOptions = {}): Promise<(object | undefined)[]> {
    return this.#read('getMany', options, () =>
      getMany(
        this.#context,
        ids.map((id) => this.#id(id)),
        options,
      ),
    );
  }

  exists(id: unknown, options: ReadOptions = {}): Promise<boolean> {
    return this.#read('exists', options, () => exists(this.#context, this.#id(id), options));
  }

  findOne(where: object, options: ReadOptions = {}): Promise<object | undefined> {
    return this.#read('findOne', options, () => findUnique(this.#context, { ...where }, options));
  }

  create(entity: object, options: Options<'create'> = {}): Promise<object> {
    return this.#write('create', options, () => this.#run(this.#create(entity, options), options));
  }

  put(entity: object, options: Options<'put'> = {}): Promise<object> {
    return this.#write('put', options, () => this.#run(this.#put(entity, options), options));
  }

  mutate(id: unknown, fn: Mutation<Shape>, options: Options<'mutate', 2> = {}): Promise<object> {
    return this.#write('mutate', options, () => this.#run(this.#mutate(id, fn, options), options));
  }

  touch(id: unknown, options: Options<'touch'> = {}): Promise<object> {
    return this.#write('touch', options, () => this.#run(this.#touch(id, options), options));
  }

  delete(id: unknown, options: Options<'delete'> = {}): Promise<boolean> {
    return this.#write('delete', options, () => this.#run(this.#delete(id, options), options));
  }

  createMany(entities: readonly object[], options: NonNullable<Options<'createMany'>> = {}) {
    return forEachItem(entities, options, (entity) => this.create(entity, options));
  }

  putMany(entities: readonly object[], options: NonNullable<Options<'putMany'>> = {}) {
    return forEachItem(entities, options, (entity) => this.put(entity, options));
  }

  deleteMany(ids: readonly unknown[], options: NonNullable<Options<'deleteMany'>> = {}) {
    return forEachItem(ids, options, (id) => this.delete(id, options));
  }

  plan(): Planner<Shape> {
    const plan = async (prepare: () => Prepared<unknown>) => {
      await admit(this.#context, 'read', {});
      const { id, operation } = prepare();
      return planOperation(this.#context, id, operation);
    };
    return {
      create: (entity, options = {}) => plan(() => this.#create(entity, options)),
      put: (entity, options = {}) => plan(() => this.#put(entity, options)),
      mutate: (id, fn, options = {}) => plan(() => this.#mutate(id, fn, options)),
      touch: (id, options = {}) => plan(() => this.#touch(id, options)),
      delete: (id, options = {}) => plan(() => this.#delete(id, options)),
    };
  }

  scan(options: Omit<ListOptions, 'cursor'> = {}): AsyncGenerator<object, void, undefined> {
    this.#context.client.scanStore();
    return scanEntities(this.#context, options);
  }

  list(options: ListOptions = {}) {
    return this.#call('list', () => listEntities(this.#context, options));
  }

  count({ where, ...options }: NonNullable<Options<'count', 0>> = {}): Promise<number> {
    return this.#call('count', () =>
      where === undefined ? countEntities(this.#context, options) : countFound(this.#context, { ...where }, options),
    );
  }

  find(where: object, options: ListOptions = {}) {
    return this.#call('find', () => findEntities(this.#context, { ...where }, options));
  }

  watch(first?: unknown, options?: WatchOptions): EntityWatch {
    this.#context.client.watchStore();
    if (options === undefined && isWatchOptions(first)) return new EntityWatch(this.#context, undefined, first ?? {});
    return new EntityWatch(this.#context, this.#id(first), options ?? {});
  }

  search(query: SearchQuery, options: SearchOptions = {}) {
    return this.#read('search', options, () => searchEntities(this.#context, query, options));
  }

  similarTo(id: unknown, options: SearchOptions = {}) {
    return this.#read('similarTo', options, () => searchSimilar(this.#context, this.#id(id), options));
  }

  vectorOf(id: unknown, options: Pick<SearchOptions, 'field' | 'signal'> = {}) {
    return this.#read('vectorOf', options, () => vectorOf(this.#context, this.#id(id), options));
  }

  reindex(options: ReindexOptions = {}) {
    return this.#write('reindex', options, () => reindex(this.#context, options));
  }

  finishReindex(options: ReindexStepOptions = {}) {
    return this.#write('finishReindex', options, () => finishReindex(this.#context, options));
  }

  rollbackReindex(options: ReindexStepOptions = {}) {
    return this.#write('rollbackReindex', options, () => rollbackReindex(this.#context, options));
  }

  #id(id: unknown): IdPart[] {
    return this.#context.keys.idParts(id);
  }

  #create(entity: object, options: NonNullable<Options<'create'>>): Prepared<object> {
    const input = fromInput(this.#context.model, entity, this.#context.environment);
    const id = this.#context.keys.idPartsOf(input.values);
    return { id, operation: createOperation(this.#context, id, input, options) };
  }

  #put(entity: object, options: NonNullable<Options<'put'>>): Prepared<object> {
    refuseEmptyIfMatch(options, this.#context.model.name);
    const input = fromInput(this.#context.model, entity, this.#context.environment);
    const id = this.#context.keys.idPartsOf(input.values);
    return { id, operation: new PutOperation(this.#context, id, input, options) };
  }

  #mutate(id: unknown, fn: Mutation<Shape>, options: NonNullable<Options<'mutate', 2>>): Prepared<object> {
    const parts = this.#id(id);
    const mutator: Mutator = fn;
    return { id: parts, operation: new MutateOperation(this.#context, parts, mutator, options) };
  }

  #touch(id: unknown, options: NonNullable<Options<'touch'>>): Prepared<object> {
    const parts = this.#id(id);
    return { id: parts, operation: touchOperation(this.#context, parts, options) };
  }

  #delete(id: unknown, options: NonNullable<Options<'delete'>>): Prepared<boolean> {
    refuseEmptyIfMatch(options, this.#context.model.name);
    const parts = this.#id(id);
    return { id: parts, operation: deleteOperation(this.#context, parts, options) };
  }

  #run<R>({ id, operation }: Prepared<R>, options: WriteCallOptions): Promise<R> {
    const { queues, keys } = this.#context;
    const run = queues.run(this.#context, id, keys.record(id), operation, options);
    const listeners = queues.listeners.of(keys.place);
    if (listeners === undefined) return run;
    // Also of one that failed: what became of it may not be known.
    return run.finally(() => {
      for (const listener of listeners) listener(id);
    });
  }

  #read<R>(verb: string, options: AdmitOptions, call: () => Promise<R>): Promise<R> {
    return this.#admitted('read', verb, options, call);
  }

  #write<R>(verb: string, options: AdmitOptions, call: () => Promise<R>): Promise<R> {
    return this.#admitted('write', verb, options, call);
  }

  #admitted<R>(access: Access, verb: string, options: AdmitOptions, call: () => Promise<R>): Promise<R> {
    if (this.#context.policy === undefined) return this.#call(verb, call);
    return this.#call(verb, () => admitted(this.#context, access, options, call));
  }

  /**
   * Every verb fails by rejecting, never by throwing, and is published where somebody listens. Those that walk in pages
   * are admitted at each of them.
   */
  #call<R>(verb: string, call: () => Promise<R>): Promise<R> {
    try {
      if (!repositoryCalls.hasSubscribers) return call();
      return repositoryCalls.tracePromise(call, { entity: this.#context.model.name, verb });
    } catch (error) {
      return Promise.reject(error);
    }
  }
}
