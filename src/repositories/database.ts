import type { Clock, Environment, Random } from '../core/clock.ts';
import type { Embedder } from '../core/embedder.ts';
import { NorimakiError } from '../core/errors.ts';
import type { EntityModel } from '../core/model/model.ts';
import type { EntitySource, ShapeOf } from '../core/model/types.ts';
import type { CommitStore, ScanStore, Store, StoreSource, VectorStore, WatchStore } from '../core/store.ts';
import { checkSource, openSource } from '../core/store-source.ts';
import { systemClock, systemRandom } from '../core/system.ts';
import { declarationOf, modelOf } from '../decorators/index.ts';
import { checkCapabilities } from './capabilities.ts';
import type { RepositoryContext } from './context.ts';
import { doctor } from './doctor/doctor.ts';
import type { DoctorOptions, DoctorReport } from './doctor/types.ts';
import { EntityRepository } from './entity-repository.ts';
import { Keyspace } from './keyspace.ts';
import type { OutboxRepository, Repository, ScanRepository, VectorRepository, WatchRepository } from './repository.ts';
import { StoreClient } from './store-client.ts';
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
export type RepositoryOf<Source, St extends Store> = Repository<ShapeOf<Source>> &
  (St extends ScanStore ? ScanRepository<ShapeOf<Source>> : unknown) &
  (St extends WatchStore ? WatchRepository<ShapeOf<Source>> : unknown) &
  (St extends VectorStore ? VectorRepository<ShapeOf<Source>> : unknown) &
  (St extends VectorStore & ScanStore & CommitStore ? OutboxRepository<ShapeOf<Source>> : unknown);

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

/** An open store with its entities; the whole of it, or one tenant's part. */
export class Database<St extends Store = Store> implements AsyncDisposable {
  readonly #shared: Shared<St>;
  readonly #repositories = new Map<EntitySource, EntityRepository>();
  readonly #contexts = new Map<EntitySource, RepositoryContext>();
  /** The tenant that this handle is scoped to. */
  readonly tenant: string | undefined;

  /** Use {@link open}. */
  constructor(shared: Shared<St>, tenant?: string) {
    this.#shared = shared;
    this.tenant = tenant;
  }

  get store(): St {
    return this.#shared.client.store;
  }

  /** Where its time and its chance come from. */
  get environment(): Environment {
    return this.#shared.client.environment;
  }

  /**
   * The repository of a decorated class or of what `defineEntity` returned; the same one each time.
   *
   * Errors: `model.invalid` with every mistake in the entity, `capability.missing` when the store cannot keep what the
   * entity promises.
   */
  repo<Source extends EntitySource>(source: Source): RepositoryOf<Source, St> {
    let repository = this.#repositories.get(source);
    if (repository === undefined) {
      repository = this.#build(source);
      this.#repositories.set(source, repository);
    }
    // The class has every verb, untyped; the source's shape and the store's kind decide what of it is shown.
    return repository as unknown as RepositoryOf<Source, St>;
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
    return doctor(contexts, options);
  }

  /** The same store, scoped to one tenant: its own keys, invisible to every other. Errors: `argument.invalid`. */
  forTenant(tenant: string): Database<St> {
    if (typeof tenant !== 'string' || tenant === '' || !tenant.isWellFormed()) {
      throw new NorimakiError('argument.invalid', 'A tenant is a string of well-formed Unicode, not empty.', {
        argument: 'tenant',
      });
    }
    return new Database(this.#shared, tenant);
  }

  /**
   * Ends work in the background, waits for what is on its way, and closes the store if `open` opened it; one that was
   * handed in open stays open. Harmless twice.
   */
  close(): Promise<void> {
    return this.#shared.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #build(source: EntitySource): EntityRepository {
    const { tenant } = this;
    const { client, queues, root, embedders, outboxes } = this.#shared;
    const model = this.#modelOf(source);
    checkCapabilities(model, client.store);
    const keys = new Keyspace(model, root, tenant);
    const { environment } = client;
    const vectors = vectorContext({ model, keys, client, embedders });
    const context = { model, tenant, keys, client, environment, queues, vectors };
    const whole: RepositoryContext = { ...context, outbox: outboxes.of(context) };
    this.#contexts.set(source, whole);
    return new EntityRepository(whole);
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
): Promise<Database<St>> {
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
