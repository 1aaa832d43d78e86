import type { IdPart } from '../../core/model/model.ts';
import type { EntitySource } from '../../core/model/types.ts';

/**
 * What can be wrong:
 * - `vector.missing`: a record has a text, and no vector where searches look;
 * - `vector.stale`: its vector is of another text than the code makes of it now;
 * - `vector.orphan`: a vector that no record names: never found, only in the way;
 * - `record.expired`: its deadline has come, and the store keeps it without one;
 * - `record.corrupt`: it cannot be read; never touched;
 * - `unique.missing`: a record whose value others could take;
 * - `unique.orphan`: a value that is kept for a record which does not hold it;
 * - `unique.conflict`: two records hold one value; only you know which is right;
 * - `index.missing`: a record that `find` does not find;
 * - `index.orphan`: an entry of an index whose record is gone or has another value.
 */
export type FindingKind =
  | 'vector.missing'
  | 'vector.stale'
  | 'vector.orphan'
  | 'record.expired'
  | 'record.corrupt'
  | 'unique.missing'
  | 'unique.orphan'
  | 'unique.conflict'
  | 'index.missing'
  | 'index.orphan';

export interface Finding {
  readonly kind: FindingKind;
  readonly entity: string;
  /** Of the record that it is about; `undefined` where nothing names one. */
  readonly id: readonly IdPart[] | undefined;
  /** The embedding, or the fields of the constraint or index. */
  readonly fields: readonly string[];
  /** It is no more. */
  readonly fixed: boolean;
  /** The code of the error that met an attempt to mend it. */
  readonly reason?: string | undefined;
}

export interface DoctorProgress {
  readonly entity: string;
  readonly phase: 'records' | 'vectors' | 'claims' | 'entries';
  /** Of this phase. */
  readonly done: number;
  /** Of all phases and entities so far. */
  readonly found: number;
  readonly fixed: number;
}

export interface DoctorOptions {
  /** Default: the entities that this handle has made repositories of. */
  readonly entities?: readonly EntitySource[] | undefined;
  /** Mends what it finds. Default: nothing is written. */
  readonly fix?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DoctorProgress) => void) | undefined;
}

export interface DoctorReport {
  /** What was looked at. */
  readonly checked: {
    readonly records: number;
    readonly vectors: number;
    readonly claims: number;
    readonly entries: number;
  };
  /** How much of each kind was found, mended or not. */
  readonly found: Readonly<Record<FindingKind, number>>;
  /** How much was mended. */
  readonly fixed: number;
  /** The first 100 of each kind. */
  readonly findings: readonly Finding[];
  /** Records whose deferred vectors were given up: see `repo.outbox`. */
  readonly deadLetters: number;
  /** Nothing was found that is not mended; dead letters aside. */
  readonly isHealthy: boolean;
}
