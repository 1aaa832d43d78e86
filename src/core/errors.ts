import type { Version } from './version.ts';

/** One problem that a schema found, as zod reports it, without the offending value. */
export interface ValidationIssue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Whether a failed write may still have reached the store. */
export type Applied = 'no' | 'unknown';

/**
 * What each error code carries in `details`. Blocks and adapters add their own
 * codes by declaration merging, as `<block>.<reason>`.
 */
export interface ErrorDetails {
  'not.found': { entity: string };
  'already.exists': {
    entity?: string;
    /** The unique fields that are taken, if it is not the id itself. */
    fields?: readonly string[];
    /** Position in the commit of the operation that was refused. */
    operation?: number;
  };
  'version.mismatch': {
    entity?: string;
    expected?: Version | undefined;
    /** `undefined` when the key does not exist. */
    actual?: Version | undefined;
    operation?: number;
  };
  'conflict.exhausted': { entity: string; attempts: number; waited: number };
  'outcome.unknown': { entity?: string };
  'validation.failed': { entity: string; issues: readonly ValidationIssue[] };
  'record.corrupt': { entity: string; issues: readonly ValidationIssue[] };
  'record.newer': { entity: string; found: number; known: number };
  'model.invalid': { entity: string; problems: readonly string[] };
  'capability.missing': { capability: string; neededBy: string };
  'argument.invalid': { argument: string };
  'index.missing': { namespace: string };
  'embedder.unavailable': {
    embedder: string;
    /** How long the provider asks to wait, in milliseconds. */
    retryAfter?: number | undefined;
  };
  'embedder.rejected': { embedder: string };
  'embedding.mismatch': { entity: string; embedding: string };
  /** A text has more passages than `chunk.limit` allows. */
  'embedding.tooLong': { entity: string; embedding: string; passages: number; limit: number };
  'reindex.conflict': { entity: string; embedding: string };
  'reindex.incomplete': { entity: string; embedding: string; failed: number };
  'reindex.recall': { entity: string; embedding: string; recall: number; atLeast: number };
  'size.exceeded': { what: string; bytes: number; limit: number };
  /** An entity that belongs to a tenant, on a handle without one. */
  'tenant.required': { entity: string };
  'tenant.mismatch': { entity: string; expected: string; found: string };
  'fence.stale': { entity: string; offered: bigint; highest: bigint };
  'deadline.exceeded': { waited: number; applied: Applied };
  aborted: { applied: Applied };
  'store.unavailable': { applied: Applied };
  'store.refused': { store: string };
  'store.closed': { store: string };
  'store.incompatible': { store: string };
  'store.full': { store: string };
  'watch.lost': {
    /** Its changes were not taken in time, or what carried them broke. */
    reason: 'behind' | 'disconnected';
  };
}

export type ErrorCode = keyof ErrorDetails;

/** Codes that start with `P`: `'store.'` gives every `store.*` code. */
export type CodesWithPrefix<P extends string> = Extract<ErrorCode, `${P}${string}`>;

const RETRYABLE: ReadonlySet<string> = new Set<ErrorCode>([
  'version.mismatch',
  'conflict.exhausted',
  'store.unavailable',
  'deadline.exceeded',
  'embedder.unavailable',
  'watch.lost',
]);

/**
 * The one error class of the library: a typed `code` with typed `details`.
 *
 * @example
 * ```ts
 * try {
 *   await products.create({ sku: 'NORI-1', name: 'Toasted nori' });
 * } catch (error) {
 *   if (NorimakiError.is(error, 'already.exists')) console.log(error.details.entity);
 *   else throw error;
 * }
 * ```
 */
export class NorimakiError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'NorimakiError';
  readonly code: C;
  readonly details: ErrorDetails[C];
  /** The same call may succeed later without a change by the caller. */
  readonly retryable: boolean;

  constructor(code: C, message: string, details: ErrorDetails[C], options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.details = details;
    this.retryable = RETRYABLE.has(code);
  }

  /** Narrows an unknown error to one code. */
  static is<C extends ErrorCode>(error: unknown, code: C): error is NorimakiError<C> {
    return error instanceof NorimakiError && error.code === code;
  }

  /** Narrows an unknown error to every code with a prefix, such as `'store.'`. */
  static match<P extends string>(error: unknown, prefix: P): error is NorimakiError<CodesWithPrefix<P>> {
    return error instanceof NorimakiError && error.code.startsWith(prefix);
  }
}
