import { isJsonObject } from '../../core/codec/index.ts';
import { decodeTuple, encodeTuple, type KeyPart } from '../../core/keys/index.ts';
import { isOutage, waitOutOutage } from '../../core/retry/index.ts';
import { type CommitOperation, canCommit, hasVectors, type Key, type KeyRange, type Stored } from '../../core/store.ts';
import { type Database, sharedOf } from '../database.ts';
import type { CatalogDocument } from '../vectors/catalog.ts';
import { type SpaceSpec, spaceOf } from '../vectors/space.ts';
import { randomOperationId } from '../write/next-record.ts';

/** One key of a tenant with what is stored there. `kind` says what: see `Keyspace`. */
export interface PartEntry extends Stored {
  readonly key: Key;
  readonly generation: number;
  readonly entity: string;
  readonly kind: 'r' | 'u' | 'i' | 'c' | 'o';
  /** What stands behind the kind in the key. */
  readonly rest: readonly KeyPart[];
}

/** A kind of key of an entity. */
export type PartKind = PartEntry['kind'];

/** What is written under a key. */
export interface PartWrite {
  readonly key: Key;
  readonly value: Uint8Array;
  readonly expiresAt?: number | undefined;
}

/** A namespace of vectors, and what decides what they mean. */
export interface PartSpace {
  readonly embedding: string;
  readonly spec: SpaceSpec;
  readonly namespace: string;
}

/** Generations from one to before another. */
export interface Generations {
  readonly from: number;
  readonly to: number;
}

const PAGE = 500;
/** Keys that are deleted in one commit. */
const TOGETHER = 100;

/**
 * What is stored of generations of a tenant, whatever entities it is of and whether this program knows them. It goes
 * under the repositories, so only for work on a tenant as a whole. Needs a store that scans.
 */
export class TenantPart {
  readonly #db: Database;
  readonly #tenant: string;

  constructor(db: Database, tenant: string) {
    this.#db = db;
    this.#tenant = tenant;
  }

  /** All keys, in order, a page at a time. */
  async *pages(generations: Generations, signal?: AbortSignal): AsyncGenerator<readonly PartEntry[], void, undefined> {
    const { client, root } = sharedOf(this.#db);
    const bound = (generation: number): Key => encodeTuple([root, this.#tenant, BigInt(generation)]);
    let range: KeyRange | undefined = { start: bound(generations.from), end: bound(generations.to) };
    while (range !== undefined) {
      const { entries, rest }: Awaited<ReturnType<typeof client.scan>> = await client.scan(range, {
        limit: PAGE,
        bytes: 4 * 1024 * 1024,
        signal,
      });
      if (entries.length > 0) yield entries.map(entryOf);
      range = rest;
    }
  }

  /** Deletes what a page gave, vectors first: after a crash the catalog that names them is still there. */
  async remove(entries: readonly PartEntry[], signal?: AbortSignal): Promise<void> {
    const { client } = sharedOf(this.#db);
    if (hasVectors(client.store)) {
      for (const entry of entries) {
        for (const { namespace } of this.spacesOf(entry)) await client.vectors.dropIndex(namespace, { signal });
      }
    }
    const size = canCommit(client.store) ? TOGETHER : 1;
    for (let at = 0; at < entries.length; at += size) {
      const operations = entries.slice(at, at + size).map(({ key }) => ({ type: 'delete', key }) as const);
      await this.#send(operations, signal);
    }
  }

  /** Writes keys, whatever is there. */
  async write(writes: readonly PartWrite[], signal?: AbortSignal): Promise<void> {
    const size = canCommit(sharedOf(this.#db).client.store) ? TOGETHER : 1;
    for (let at = 0; at < writes.length; at += size) {
      const operations = writes.slice(at, at + size).map((write) => ({ type: 'put', ...write }) as const);
      await this.#send(operations, signal);
    }
  }

  /** Of a generation: what stands before the rest of a key. */
  prefixOf(generation: number, entity: string, kind: PartKind): Key {
    return encodeTuple([sharedOf(this.#db).root, this.#tenant, BigInt(generation), entity, kind]);
  }

  /** All vectors of a namespace, a page at a time. Needs a store that lists them. */
  async *vectors(
    { namespace }: PartSpace,
    signal?: AbortSignal,
  ): AsyncGenerator<readonly (readonly [id: string, vector: Float32Array])[], void, undefined> {
    const { vectors } = sharedOf(this.#db).client;
    let after: string | undefined;
    for (;;) {
      const ids: string[] = await vectors.list(namespace, { after, limit: TOGETHER, signal });
      if (ids.length === 0) return;
      const found = await vectors.getMany(namespace, ids, { signal });
      yield ids.flatMap((id, at) => {
        const vector = found[at];
        return vector === undefined ? [] : [[id, vector] as const];
      });
      after = ids.at(-1);
    }
  }

  /** Writes vectors to the namespace of an embedding, and makes it if need be. */
  async writeVectors(
    generation: number,
    entity: string,
    { embedding, spec }: Omit<PartSpace, 'namespace'>,
    vectors: readonly (readonly [id: string, vector: Float32Array])[],
    signal?: AbortSignal,
  ): Promise<void> {
    const { client, root } = sharedOf(this.#db);
    const { namespace } = spaceOf([root, this.#tenant, BigInt(generation), entity], embedding, spec);
    const { dimensions, metric, index } = spec;
    await client.vectors.createIndex(namespace, { dimensions, metric, type: index }, { signal });
    for (const [id, vector] of vectors) await client.vectors.insert(namespace, id, vector, { signal });
  }

  /** The namespaces of vectors that a catalog names; of any other entry none. */
  spacesOf({ kind, generation, entity, value }: PartEntry): PartSpace[] {
    if (kind !== 'c') return [];
    const document: unknown = JSON.parse(Buffer.from(value).toString());
    if (!isJsonObject(document) || !isJsonObject(document.embeddings)) return [];
    const scope = [sharedOf(this.#db).root, this.#tenant, BigInt(generation), entity] as const;
    // As `Catalog` writes it; a document of another format is of no use to anybody once its tenant is gone.
    const { embeddings } = document as unknown as CatalogDocument;
    return Object.entries(embeddings).flatMap(([embedding, { active, building, previous, dropping = [] }]) =>
      [active, building?.spec, previous, ...dropping].flatMap((spec) =>
        spec === undefined ? [] : [{ embedding, spec, namespace: spaceOf(scope, embedding, spec).namespace }],
      ),
    );
  }

  /** Sends writes until the store has said so; each may be applied twice. */
  async #send(operations: readonly CommitOperation[], signal: AbortSignal | undefined): Promise<void> {
    const { client } = sharedOf(this.#db);
    const { environment, budget } = client;
    const started = environment.clock.mono();
    for (let attempt = 1; ; attempt++) {
      const idempotencyKey = randomOperationId(environment.random);
      const outcome = await client.write(operations, { idempotencyKey, signal });
      if (outcome.kind === 'applied') return;
      const { error } = outcome;
      if (!isOutage(error)) throw error;
      if (!(await waitOutOutage(error, attempt, started, environment, budget, { signal }))) throw error;
    }
  }
}

function entryOf({ key, ...stored }: Stored & { readonly key: Key }): PartEntry {
  const [, , generation, entity, kind, ...rest] = decodeTuple(key);
  // Every key under a generation is made by `Keyspace`.
  return { ...stored, key, generation: Number(generation), entity: entity as string, kind: kind as 'r', rest };
}
