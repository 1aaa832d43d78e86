import type { $ZodType } from 'zod/v4/core';
import type { Environment } from '../clock.ts';
import type { RecordCodec } from '../codec/record.ts';
import type { Duration } from '../duration.ts';
import type { Embedder } from '../embedder.ts';
import type { KeyPart } from '../keys/index.ts';
import type { Metric, VectorIndexType } from '../vectors/index.ts';

/** A value that can be (a part of) an id. */
export type IdPart = Exclude<KeyPart, null>;

/** Makes the id of an entity that `create` was given without one. */
export type IdGenerator<V extends IdPart = IdPart> = (environment: Environment) => V;

/** Turns the fields of schema version `n` into those of `n + 1`. */
export type Upcast = (fields: Record<string, unknown>) => Record<string, unknown>;

/** What a write does to the deadline of a record that has one. */
export type OnWrite = 'keep' | 'renew';

/** One field as declared, by whichever decorators stand on it. */
export interface FieldDeclaration {
  readonly name: string;
  readonly schema?: $ZodType | undefined;
  /** Holds the version of the last read or write; not stored. */
  readonly versioned?: boolean | undefined;
  /** Holds this record's own deadline. */
  readonly deadline?: boolean | undefined;
}

/** Where an entity of a tenant shows whose it is. Not stored: the key and the envelope say it. */
export const TENANT_FIELD = 'tenant';

/** A field that is the id, or a part of it. */
export interface IdDeclaration {
  readonly name: string;
  readonly generate?: IdGenerator | undefined;
}

/** A unique constraint or an index, over its fields in order. */
export interface FieldGroup {
  readonly name: string;
  readonly fields: readonly string[];
}

/** How long the records of an entity live. */
export interface TtlDeclaration {
  readonly duration: Duration;
  readonly onWrite?: OnWrite | undefined;
}

/**
 * When a vector is there: `'inline'` before the save resolves, `'deferred'` soon after, so that a save never waits for
 * an embedder, or fails with it.
 */
export type EmbeddingMode = 'inline' | 'deferred';

/** The text that is embedded: a field, several fields, or what a function makes of an entity. */
export type EmbeddingSource = string | readonly string[] | ((entity: never) => string | null | undefined);

/** How a text is cut into passages; all lengths in UTF-16 code units, as `text.length` counts them. */
export interface Chunking {
  readonly size: number;
  readonly overlap: number;
}

/** What `@Embedding` was told of passages. */
export interface ChunkOptions {
  /** No passage is longer; 16 to 100,000. */
  readonly size: number;
  /** So much of the end of a passage, at most, begins the next one as well; up to half of `size`, 0 if not given. */
  readonly overlap?: number | undefined;
  /** A text of more passages is `embedding.tooLong`; 1 to 4,095, 256 if not given. */
  readonly limit?: number | undefined;
}

/** What `@Embedding` was told. */
export interface EmbeddingDeclaration {
  /** That of its field, or the one that it was given on the class. */
  readonly name: string;
  /** Whether the entity has a field of this name, in which a vector can be given to `create`, `put` and `mutate`. */
  readonly isField: boolean;
  /** Without it vectors are only given, and `dimensions` says how long they are. */
  readonly from?: EmbeddingSource | undefined;
  readonly dimensions?: number | undefined;
  readonly metric?: Metric | undefined;
  readonly mode?: EmbeddingMode | undefined;
  /** Default: that of `open`. */
  readonly embedder?: Embedder | undefined;
  readonly index?: VectorIndexType | undefined;
  readonly chunk?: ChunkOptions | undefined;
  /** Which text `from` makes; a new name for it embeds all texts anew. */
  readonly template?: string | undefined;
}

/** One embedding of a checked entity. */
export interface EmbeddingModel {
  readonly name: string;
  readonly isField: boolean;
  /** The text to embed, `undefined` if it is unset or blank; absent where vectors are only given. */
  readonly source: ((entity: object) => string | undefined) | undefined;
  /** Of given vectors; `undefined` with a source, where the embedder decides. */
  readonly dimensions: number | undefined;
  readonly metric: Metric;
  readonly mode: EmbeddingMode;
  readonly embedder: Embedder | undefined;
  readonly index: VectorIndexType;
  readonly template: string;
  /** `undefined` where a text has one vector. */
  readonly chunk: (Chunking & Pick<ChunkOptions, 'limit'>) | undefined;
}

/** What decorators or `defineEntity` collected, before it is checked. */
export interface EntityDeclaration {
  readonly name: string;
  /** The class it was read from; undefined for `defineEntity`. */
  readonly className?: string | undefined;
  /** Makes an empty entity, with the defaults of its class. */
  readonly instantiate: () => object;
  /** In order of declaration, a parent's before its child's. */
  readonly fields: readonly FieldDeclaration[];
  /** In the order of their parts in the key. */
  readonly ids: readonly IdDeclaration[];
  readonly uniques: readonly FieldGroup[];
  readonly indexes: readonly FieldGroup[];
  /** Not given means none. */
  readonly embeddings?: readonly EmbeddingDeclaration[] | undefined;
  readonly schema?: number | undefined;
  readonly upcast?: Readonly<Record<number, Upcast>> | undefined;
  readonly ttl?: TtlDeclaration | undefined;
  readonly ring?: number | undefined;
  /** Its records belong to a tenant, whose name is in the field {@link TENANT_FIELD}. */
  readonly tenantScoped?: boolean | undefined;
  /** Mistakes that were seen while collecting, as sentences. */
  readonly problems?: readonly string[] | undefined;
}

/** A checked entity: what repositories work from. */
export interface EntityModel {
  readonly name: string;
  readonly schema: number;
  readonly instantiate: () => object;
  /** In the order of their parts in the key. */
  readonly ids: readonly IdDeclaration[];
  /** Names of all stored fields, ids included. */
  readonly fields: readonly string[];
  /** Values of schema-level defaults (`z.string().default('x')`), made afresh at each call. */
  readonly schemaDefaults: ReadonlyMap<string, () => unknown>;
  readonly versionField: string | undefined;
  readonly deadlineField: string | undefined;
  readonly ttl: { readonly ms: number } | undefined;
  readonly onWrite: OnWrite;
  readonly uniques: readonly FieldGroup[];
  readonly indexes: readonly FieldGroup[];
  readonly embeddings: readonly EmbeddingModel[];
  /** How many operation ids a record remembers. */
  readonly ring: number;
  /** Whether its records belong to a tenant, whose name is in the field {@link TENANT_FIELD}. */
  readonly tenantScoped: boolean;
  readonly codec: RecordCodec;
}
