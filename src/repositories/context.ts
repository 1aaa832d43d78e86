import type { Environment } from '../core/clock.ts';
import type { EntityModel } from '../core/model/model.ts';
import type { Keyspace } from './keyspace.ts';
import type { StoreClient } from './store-client.ts';
import type { Place } from './tenancy/place.ts';
import type { TenantPolicy } from './tenancy/policy.ts';
import type { OutboxWorker } from './vectors/outbox-worker.ts';
import type { VectorContext } from './vectors/vector-context.ts';
import type { KeyQueues } from './write/key-queue.ts';

/** What every verb of one repository works with. */
export interface RepositoryContext {
  readonly model: EntityModel;
  /** Whose part of the store it is. */
  readonly place: Place;
  /** Of a managed tenant. */
  readonly policy: TenantPolicy | undefined;
  readonly keys: Keyspace;
  readonly client: StoreClient;
  readonly environment: Environment;
  readonly queues: KeyQueues;
  /** Only of an entity with embeddings. */
  readonly vectors: VectorContext | undefined;
  /** Only of an entity with deferred embeddings. */
  readonly outbox: OutboxWorker | undefined;
}
