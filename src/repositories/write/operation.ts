import type { Version } from '../../core/version.ts';
import type { LiveRecord } from '../snapshot.ts';

/** The record as the operations of a batch see it, one after the other. */
export type RecordState = LiveRecord | undefined;

/**
 * One write that a user asked for, as a function of the record: `put`, `mutate` and the others are all of this form,
 * so that those of one key can be folded, in order, into one compare-and-swap.
 */
export interface Operation<R = unknown> {
  /** Expects no record: the first try may skip the read. */
  readonly expectsAbsent?: boolean | undefined;
  /**
   * The record after this write; the very object that came in if there is nothing to write.
   * A throw rejects this write alone. Called again after a conflict.
   */
  apply(state: RecordState): RecordState | Promise<RecordState>;
  /** What the user gets. `version` is that of the record after this write, where it is known. */
  result(before: RecordState, after: RecordState, version: Version | undefined): R;
}
