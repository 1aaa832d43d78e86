import type { Clock, Environment, Random } from '../core/clock.ts';
import { NorimakiError } from '../core/errors.ts';
import type { EntityModel } from '../core/model/model.ts';
import type { EntitySource, ShapeOf } from '../core/model/types.ts';
import type { ScanStore, Store, StoreOpener, StoreSource } from '../core/store.ts';
import { systemClock, systemRandom } from '../core/system.ts';
import { declarationOf, modelOf } from '../decorators/index.ts';
import { checkCapabilities } from './capabilities.ts';
import { EntityRepository } from './entity-repository.ts';
import { Keyspace } from './keyspace.ts';
import type { Repository, ScanRepository } from './repository.ts';
import { StoreClient } from './store-client.ts';
import { KeyQueues } from './write/key-queue.ts';

export interface OpenOptions {
  /** Where time comes from; default: the machine's clock. */
  readonly clock?: Clock | undefined;
  /** Where chance comes from; default: the machine's. */
  readonly random?: Random | undefined;
  /** First part of every key, to share one store between applications; default `'norimaki'`. */
  readonly root?: string | undefined;
}

/** The repository of an entity, with the verbs that this kind of store can carry. */
export type RepositoryOf<Source, St extends Store> = Repository<ShapeOf<Source>> &
  (St extends ScanStore ? ScanRepository<ShapeOf<Source>> : unknown);

/** What all handles on one store share. */
interface Shared<St extends Store> {
  readonly client: StoreClient<St>;
  readonly queues: KeyQueues;
  readonly root: string;
  /** What each entity name stands for. */
  readonly sources: Map<string, EntitySource>;
  readonly close: () => Promise<void>;
}

/** An open store with its entities; the whole of it, or one tenant's part. */
export class Database<St extends Store = Store> implements AsyncDisposable {
  readonly #shared: Shared<St>;
  readonly #repositories = new Map<EntitySource, EntityRepository>();
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

  /** The same store, scoped to one tenant: its own keys, invisible to every other. Errors: `argument.invalid`. */
  forTenant(tenant: string): Database<St> {
    if (typeof tenant !== 'string' || tenant === '' || !tenant.isWellFormed()) {
      throw new NorimakiError('argument.invalid', 'A tenant is a string of well-formed Unicode, not empty.', {
        argument: 'tenant',
      });
    }
    return new Database(this.#shared, tenant);
  }

  /** Closes the store if `open` opened it; one that was handed in open stays open. Harmless twice. */
  close(): Promise<void> {
    return this.#shared.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #build(source: EntitySource): EntityRepository {
    const { tenant } = this;
    const { client, queues, root } = this.#shared;
    const model = this.#modelOf(source);
    checkCapabilities(model, client.store);
    const keys = new Keyspace(model, root, tenant);
    return new EntityRepository({ model, tenant, keys, client, environment: client.environment, queues });
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

function isOpener<St extends Store>(source: StoreSource<St>): source is StoreOpener<St> {
  return 'openStore' in source;
}

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
  const { clock = systemClock, random = systemRandom, root = 'norimaki' } = options;
  const environment: Environment = { clock, random };
  const store = isOpener(source) ? await source.openStore(environment) : source;
  const close = isOpener(source) ? () => store.close() : async () => {};
  const client = new StoreClient(store, environment);
  return new Database({ client, queues: new KeyQueues(), root, sources: new Map(), close });
}
