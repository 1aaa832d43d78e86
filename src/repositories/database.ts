import type { Clock, Environment, Random } from '../core/clock.ts';
import type { Embedder } from '../core/embedder.ts';
import { NorimakiError } from '../core/errors.ts';
import type { EntityModel } from '../core/model/model.ts';
import type { EntitySource, InTenant, NeedsTenant, OnlyOnWhole, Shape, ShapeOf } from '../core/model/types.ts';
import type { CommitStore, ScanStore, Store, StoreSource, VectorStore, WatchStore } from '../core/store.ts';
import { checkSource, openSource } from '../core/store-source.ts';
import { systemClock, systemRandom } from '../core/system.ts';
import { checkTenantId, type TenantName } from '../core/tenant-id.ts';
import { declarationOf, modelOf } from '../decorators/index.ts';
import { checkCapabilities } from './capabilities.ts';
import type { RepositoryContext } from './context.ts';
import { doctor } from './doctor/doctor.ts';
import type { DoctorOptions, DoctorReport } from './doctor/types.ts';
import { EntityRepository } from './entity-repository.ts';
import { Keyspace } from './keyspace.ts';
import type { OutboxRepository, Repository, ScanRepository, VectorRepository, WatchRepository } from './repository.ts';
import { StoreClient } from './store-client.ts';
import { admitted } from './tenancy/admission.ts';
import { NO_TENANT, type Place } from './tenancy/place.ts';
import type { TenantPolicy } from './tenancy/policy.ts';
import { modelIn } from './tenancy/tenant-model.ts';
import { Embedders } from './vectors/embedders.ts';
import { type OutboxOptions, outboxPolicy } from './vectors/outbox-options.ts';
import { OutboxWorkers } from './vectors/outbox-workers.ts';
import { vectorContext } from './vectors/vector-context.ts';
import { KeyQueues } from './write/key-queue.ts';

export interface OpenOptions {
  /** Where time comes from; default: the machine's clock. */
  readonly clock?: Clock | undefined;
  /** Where chance comes from; default: the machine's. */
  readonly random?: Random | undefined;
  /** First part of every key, to share one store between applications; default `'norimaki'`. */
  readonly root?: string | undefined;
  /** Makes the vectors of every `@Embedding` that names no embedder of its own. */
  readonly embedder?: Embedder | undefined;
  /** Others that stored vectors may have been made by: needed while `reindex` moves from one to another. */
  readonly embedders?: readonly Embedder[] | undefined;
  /**
   * How this process makes the vectors of embeddings with `mode: 'deferred'`; `false`: it leaves them to others, or to
   * `repo.outbox.drain()`.
   */
  readonly outbox?: OutboxOptions | false | undefined;
  /**
   * Memory for the last states of the records that this process writes, in bytes, about: the next write of such a record
   * needs no read. Reads always ask the store. Default 8 MiB; 0: none.
   */
  readonly writeMemory?: number | undefined;
}

const WRITE_MEMORY = 8 * 1024 * 1024;

/** Errors: `argument.invalid`. */
function writeMemoryOf({ writeMemory = WRITE_MEMORY }: OpenOptions): number {
  if (Number.isSafeInteger(writeMemory) && writeMemory >= 0) return writeMemory;
  throw new NorimakiError('argument.invalid', 'writeMemory is a number of bytes; 0 keeps nothing.', {
    argument: 'writeMemory',
  });
}

/** The repository of an entity, with the verbs that this kind of store can carry. */
export type RepositoryOf<
  Source,
  St extends Store,
  Tenant extends string | undefined = string | undefined,
> = RepositoryOn<InTenant<ShapeOf<Source>, Tenant>, St>;

type RepositoryOn<S extends Shape, St extends Store> = Repository<S> &
  (St extends ScanStore ? ScanRepository<S> : unknown) &
  (St extends WatchStore ? WatchRepository<S> : unknown) &
  (St extends VectorStore ? VectorRepository<S> : unknown) &
  (St extends VectorStore & ScanStore & CommitStore ? OutboxRepository<S> : unknown);

/** What a handle shows of the store: all of it, or to a tenant only what it can do. */
type Shown<St extends Store, Tenant extends string | undefined> = [Tenant] extends [undefined]
  ? St
  : Pick<St, 'capabilities'>;

/** Where a handle works, and under which policy. */
interface Handle extends Place {
  readonly policy?: TenantPolicy | undefined;
}

/** What all handles on one store share. */
interface Shared<St extends Store> {
  readonly client: StoreClient<St>;
  readonly queues: KeyQueues;
  readonly root: string;
  readonly embedders: Embedders;
  readonly outboxes: OutboxWorkers;
  /** What each entity name stands for. */
  readonly sources: Map<string, EntitySource>;
  readonly close: () => Promise<void>;
}

/** What a handle shares with all others on its store. */
export let sharedOf: <St extends Store>(db: Database<St>) => Shared<St>;

/** Whose part of the store a handle works on. */
export let placeOf: (db: Database) => Place;

/** An open store with its entities; the whole of it, or one tenant's part. */
export class Database<St extends Store = Store, Tenant extends string | undefined = string | undefined>
  implements AsyncDisposable
{
  static {
    sharedOf = (db) => db.#shared;
    placeOf = (db) => ({ tenant: db.#handle.tenant, generation: db.#handle.generation });
  }

  readonly #shared: Shared<St>;
  readonly #handle: Handle;
  readonly #repositories = new Map<EntitySource, EntityRepository>();
  readonly #contexts = new Map<EntitySource, RepositoryContext>();
  /** The tenant that this handle is scoped to. */
  readonly tenant: Tenant;

  /** Use {@link open}. */
  constructor(shared: Shared<St>, handle: Handle = NO_TENANT) {
    this.#shared = shared;
    this.#handle = handle;
    // Whoever makes a handle says which tenant's it is.
    this.tenant = handle.tenant as Tenant;
  }

  /** The store; of a tenant's handle only what it can do, as its bytes belong to everybody. */
  get store(): Shown<St, Tenant> {
    const { store } = this.#shared.client;
    const shown: Pick<St, 'capabilities'> = this.tenant === undefined ? store : { capabilities: store.capabilities };
    return shown as Shown<St, Tenant>;
  }

  /** Where its time and its chance come from. */
  get environment(): Environment {
    return this.#shared.client.environment;
  }

  /**
   * The repository of a decorated class or of what `defineEntity` returned; the same one each time.
   *
   * Errors: `model.invalid` with every mistake in the entity, `capability.missing` when the store cannot keep what the
   * entity promises, `tenant.required` for a `@TenantScoped()` entity on a handle without a tenant.
   */
  repo<Source extends EntitySource>(source: Source & NeedsTenant<Source, Tenant>): RepositoryOf<Source, St, Tenant> {
    let repository = this.#repositories.get(source);
    if (repository === undefined) {
      repository = this.#build(source);
      this.#repositories.set(source, repository);
    }
    // The class has every verb, untyped; the source's shape and the store's kind decide what of it is shown.
    return repository as unknown as RepositoryOf<Source, St, Tenant>;
  }

  /**
   * Compares every record of these entities with its vectors, unique values and index entries, and the other way round;
   * with `fix` it mends what it finds. Others may read and write meanwhile: what they are doing is not taken for damage.
   * Of this handle's tenant only, or of what belongs to none: for a tenant, `db.forTenant(name).doctor({ entities })`.
   * Needs a store with scan and commit.
   *
   * @example
   * ```ts
   * const { isHealthy, found } = await db.doctor({ entities: [Product], fix: true });
   * ```
   */
  async doctor(options: DoctorOptions = {}): Promise<DoctorReport> {
    const { entities = [...this.#contexts.keys()] } = options;
    const contexts = entities.map((source) => {
      this.repo(source);
      // `repo` has just made it, if it was not there.
      return this.#contexts.get(source) as RepositoryContext;
    });
    return admitted(this.#handle, options.fix ? 'write' : 'read', options, () => doctor(contexts, options));
  }

  /**
   * The same store, scoped to one tenant: its own keys, invisible to every other. Costs nothing; take a new one for each
   * request. Only the handle on the whole store leads to tenants, never one tenant's handle to another.
   *
   * Errors: `argument.invalid` for a name that {@link TenantId} refuses, and on a handle that has a tenant.
   *
   * @example
   * ```ts
   * const invoices = db.forTenant('acme').repo(Invoice);
   * ```
   */
  forTenant<const Name extends string>(tenant: Name & OnlyOnWhole<Tenant>): Database<St, TenantName<Name>> {
    refuseOneTenant(this);
    checkTenantId(tenant);
    return new Database(this.#shared, { tenant, generation: 0 });
  }

  /**
   * Ends work in the background, waits for what is on its way, and closes the store if `open` opened it; one that was
   * handed in open stays open. Harmless twice. A tenant's handle has nothing to close: this does nothing then.
   */
  async close(): Promise<void> {
    if (this.tenant === undefined) await this.#shared.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #build(source: EntitySource): EntityRepository {
    const { policy, ...place } = this.#handle;
    const { client, queues, root, embedders, outboxes } = this.#shared;
    const model = modelIn(place, this.#modelOf(source));
    checkCapabilities(model, client.store);
    const keys = new Keyspace(model, root, place);
    const { environment } = client;
    const vectors = vectorContext({ model, keys, client, embedders });
    const context = { model, place, policy, keys, client, environment, queues, vectors };
    const whole: RepositoryContext = { ...context, outbox: outboxes.of(context) };
    this.#contexts.set(source, whole);
    return new EntityRepository(whole, { db: this, source });
  }

  #modelOf(source: EntitySource): EntityModel {
    const { sources } = this.#shared;
    const { name } = declarationOf(source);
    const known = sources.get(name);
    if (known !== undefined && known !== source) {
      const problem = `Two entities are named '${name}'; their records would share keys. Rename one of them.`;
      throw new NorimakiError('model.invalid', problem, { entity: name, problems: [problem] });
    }
    const model = modelOf(source);
    sources.set(name, source);
    return model;
  }
}

/** Only the handle on the whole store leads to tenants. Errors: `argument.invalid`. */
export function refuseOneTenant({ tenant }: Database): void {
  if (tenant === undefined) return;
  const message = 'This handle is of one tenant and does not lead to another. Ask the one that open() returned.';
  throw new NorimakiError('argument.invalid', message, { argument: 'tenant' });
}

/** What a right call looks like. */
const USAGE = "open takes a store and options: open(embedded({ path: './data' }), { embedder }).";

/**
 * Opens a store and returns the handle from which repositories come.
 *
 * @example
 * ```ts
 * await using db = await open(embedded({ path: './data/shop' }));
 * const products = db.repo(Product);
 * ```
 */
export async function open<St extends Store>(
  source: StoreSource<St>,
  options: OpenOptions = {},
): Promise<Database<St, undefined>> {
  checkSource(source, USAGE);
  const { clock = systemClock, random = systemRandom, root = 'norimaki', embedder, embedders = [], outbox } = options;
  const stateBytes = writeMemoryOf(options);
  const environment: Environment = { clock, random };
  const outboxes = new OutboxWorkers(environment, outboxPolicy(outbox));
  const { store, release } = await openSource(source, environment);
  const close = async (): Promise<void> => {
    await outboxes.close();
    await release();
  };
  const client = new StoreClient(store, environment);
  return new Database({
    client,
    queues: new KeyQueues(stateBytes),
    root,
    embedders: new Embedders(embedder, embedders),
    outboxes,
    sources: new Map(),
    close,
  });
}
