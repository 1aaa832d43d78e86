import type { EntityModel, IdPart } from '../core/model/model.ts';
import type { EntitySource } from '../core/model/types.ts';
import type { ReadOptions, Stored } from '../core/store.ts';
import type { Metric } from '../core/vectors/index.ts';
import { makeVersion, type Version } from '../core/version.ts';
import type { RepositoryContext } from './context.ts';
import type { Database } from './database.ts';
import type { Values } from './entity.ts';
import type { Place } from './tenancy/place.ts';
import { wanting } from './vectors/where.ts';
import type { Conditions } from './verbs/find.ts';
import { type ListOptions, type Page, readPage } from './verbs/pages.ts';
import { readEntity } from './verbs/read.ts';
import type { WriteListener } from './write/write-listeners.ts';

/** What a block has to know of a repository that it stands in front of. */
export interface Inside {
  readonly model: EntityModel;
  readonly place: Place;
  /** The handle that the repository is of. */
  readonly db: Database;
  readonly source: EntitySource;
  /** Errors: `argument.invalid`. */
  idParts(id: unknown): IdPart[];
  /** Of an entity that was read. */
  idPartsOf(entity: object): IdPart[];
  /** The id as `get` takes it. */
  idOf(parts: readonly IdPart[]): unknown;
  /** The records of these ids, in order, each as one read found it. */
  records(ids: readonly (readonly IdPart[])[], options?: ReadOptions): Promise<(RecordSeen | undefined)[]>;
  /** A page of all records, in the order of ids. Needs a store with scan. */
  recordPage(options: ListOptions): Promise<Page<RecordSeen>>;
  /** Conditions as a test of an entity. Errors: `argument.invalid`. */
  matcher(where: Conditions): (entity: object) => boolean;
  /** The metric of the vectors that searches ask now. */
  metricOf(embedding: string): Promise<Metric | undefined>;
  /** Hears of every write of this entity by this process, until what it returns is called. */
  onWrite(listener: WriteListener): () => void;
}

/** A record as it was found, decoded only if it is asked for. */
export interface RecordSeen {
  readonly id: readonly IdPart[];
  readonly version: Version;
  /** `undefined` if it has expired, or only marks an absence. Errors: `record.corrupt`. */
  entity(): object | undefined;
}

/** Where a repository came from. */
export interface Origin {
  readonly db: Database;
  readonly source: EntitySource;
}

/** `admitted` runs a read under the policy of a managed tenant. */
export function insideOfContext(
  context: RepositoryContext,
  origin: Origin,
  admitted: <R>(options: ReadOptions, read: () => Promise<R>) => Promise<R>,
): Inside {
  const { model, place, keys, client, queues, vectors } = context;
  return {
    ...origin,
    model,
    place,
    idParts: (id) => keys.idParts(id),
    // An entity is read by field name.
    idPartsOf: (entity) => keys.idPartsOf(entity as Values),
    idOf: (parts) => keys.idOf(parts),
    records: (ids, options = {}) =>
      admitted(options, async () => {
        const stored = await client.getMany(
          ids.map((id) => keys.record(id)),
          options,
        );
        return ids.map((id, i) => seen(context, id, stored[i]));
      }),
    recordPage: (options) =>
      readPage(context, keys.allRecords(), options, async (entries) =>
        entries.map((entry) => seen(context, keys.recordId(entry.key), entry)),
      ),
    matcher: (where) => {
      const fits = wanting(model, where, undefined);
      // An entity is read by field name; conditions look at nothing else.
      return (entity) => fits?.(entity as Values, NO_VERSION) !== false;
    },
    metricOf: async (embedding) => (await vectors?.catalog.current())?.spaces.get(embedding)?.active.spec.metric,
    onWrite: (listener) => queues.listeners.add(keys.place, listener),
  };
}

function seen(context: RepositoryContext, id: readonly IdPart[], stored: Stored | undefined): RecordSeen | undefined {
  return stored && { id, version: stored.version, entity: () => readEntity(context, id, stored) };
}

/** Where a test of fields is asked that looks at no version. */
const NO_VERSION = makeVersion(0n, 0n);
