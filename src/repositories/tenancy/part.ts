import { isJsonObject } from '../../core/codec/index.ts';
import { decodeTuple, encodeTuple, type KeyPart } from '../../core/keys/index.ts';
import { isOutage, waitOutOutage } from '../../core/retry/index.ts';
import { canCommit, hasVectors, type Key, type KeyRange, type Stored } from '../../core/store.ts';
import { type Database, sharedOf } from '../database.ts';
import type { CatalogDocument } from '../vectors/catalog.ts';
import { spaceOf } from '../vectors/space.ts';
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
        for (const namespace of this.namespacesOf(entry)) await client.vectors.dropIndex(namespace, { signal });
      }
    }
    const size = canCommit(client.store) ? TOGETHER : 1;
    for (let at = 0; at < entries.length; at += size) {
      await this.#delete(
        entries.slice(at, at + size).map(({ key }) => key),
        signal,
      );
    }
  }

  /** The namespaces of vectors that a catalog names; of any other entry none. */
  namespacesOf({ kind, generation, entity, value }: PartEntry): string[] {
    if (kind !== 'c') return [];
    const document: unknown = JSON.parse(Buffer.from(value).toString());
    if (!isJsonObject(document) || !isJsonObject(document.embeddings)) return [];
    const scope = [sharedOf(this.#db).root, this.#tenant, BigInt(generation), entity] as const;
    // As `Catalog` writes it; a document of another format is of no use to anybody once its tenant is gone.
    const { embeddings } = document as unknown as CatalogDocument;
    return Object.entries(embeddings).flatMap(([name, { active, building, previous, dropping = [] }]) =>
      [active, building?.spec, previous, ...dropping].flatMap((spec) =>
        spec === undefined ? [] : [spaceOf(scope, name, spec).namespace],
      ),
    );
  }

  /** Deletes keys until the store has said so; doing it twice does no harm. */
  async #delete(keys: readonly Key[], signal: AbortSignal | undefined): Promise<void> {
    const { client } = sharedOf(this.#db);
    const { environment, budget } = client;
    const started = environment.clock.mono();
    const operations = keys.map((key) => ({ type: 'delete', key }) as const);
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
