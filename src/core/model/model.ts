import type { $ZodType } from 'zod/v4/core';
import type { Environment } from '../clock.ts';
import type { RecordCodec } from '../codec/record.ts';
import type { Duration } from '../duration.ts';
import type { KeyPart } from '../keys/index.ts';

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
  readonly id?: { readonly generate?: IdGenerator | undefined } | undefined;
  readonly versioned?: boolean | undefined;
  /** Holds this record's own deadline. */
  readonly deadline?: boolean | undefined;
  /** Names of the unique constraints it is part of. */
  readonly unique?: readonly string[] | undefined;
  /** Names of the indexes it is part of. */
  readonly index?: readonly string[] | undefined;
}

/** What decorators or `defineEntity` collected, before it is checked. */
export interface EntityDeclaration {
  readonly name: string;
  /** Makes an empty entity, with the defaults of its class. */
  readonly instantiate: () => object;
  /** In order of declaration, a parent's before its child's. */
  readonly fields: readonly FieldDeclaration[];
  readonly schema?: number | undefined;
  readonly upcast?: Readonly<Record<number, Upcast>> | undefined;
  readonly ttl?: { readonly duration: Duration; readonly onWrite?: OnWrite | undefined } | undefined;
  readonly ring?: number | undefined;
  /** Mistakes that the decorators saw themselves. */
  readonly problems?: readonly string[] | undefined;
}

/** A unique constraint or an index, over its fields in order. */
export interface FieldGroup {
  readonly name: string;
  readonly fields: readonly string[];
}

/** A checked entity: what repositories work from. */
export interface EntityModel {
  readonly name: string;
  readonly schema: number;
  readonly instantiate: () => object;
  readonly ids: readonly { readonly name: string; readonly generate?: IdGenerator | undefined }[];
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
  /** How many operation ids a record remembers. */
  readonly ring: number;
  readonly codec: RecordCodec;
}
