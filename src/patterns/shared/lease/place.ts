import type { Duration } from '../../../core/duration.ts';
import { NothingToWrite } from '../nothing-to-write.ts';
import { FREE, type LeaseState } from './state.ts';

/** Where a lease is stored: one record, or a part of one. */
export interface LeasePlace {
  /** What the store says now, read strongly; `FREE` where there is nothing. */
  read(signal: AbortSignal | undefined): Promise<LeaseState>;
  /**
   * One compare-and-swap, exactly once. `decide` is shown what is there, and again after a conflict; `undefined` means
   * that nothing is to be written. Must be right before the write is sent when it is called last.
   */
  change(decide: (now: LeaseState) => LeaseState | undefined, signal: AbortSignal | undefined): Promise<void>;
  /** Where the write goes that gives the lease back, if that is to be another kind of write. */
  readonly last?: Pick<LeasePlace, 'change'> | undefined;
}

/** The calls of a repository that a lease needs, of an entity with the `leaseFields`. */
export interface LeaseRepository<Id, Draft extends LeaseState> {
  get(id: Id, options: { signal: AbortSignal | undefined }): Promise<Draft | undefined>;
  mutate(
    id: Id,
    fn: (draft: Draft) => void,
    options: { ifAbsent: () => LeaseState; signal: AbortSignal | undefined; ttl?: Duration | undefined },
  ): Promise<unknown>;
}

/** How a record shows its lease, and takes a new state of it, where that is more than its fields. */
export interface LeaseView<Draft> {
  see(record: Draft): LeaseState;
  write(draft: Draft, next: LeaseState): void;
}

/**
 * A record of its own. Fields other than the lease's stay as they are, unless the `view` writes
 * them. A `ttl` is for what only ends leases that are never held again: a lease must not expire by anybody's wall clock.
 */
export function recordPlace<Id, Draft extends LeaseState>(
  repository: LeaseRepository<Id, Draft>,
  id: Id,
  view: LeaseView<Draft> = { see: (record) => record, write: Object.assign },
  ttl?: Duration,
): LeasePlace {
  return {
    async read(signal) {
      const record = await repository.get(id, { signal });
      return record === undefined ? FREE : view.see(record);
    },
    async change(decide, signal) {
      const fn = (draft: Draft): void => {
        const next = decide(view.see(draft));
        if (next === undefined) throw new NothingToWrite();
        view.write(draft, next);
      };
      try {
        await repository.mutate(id, fn, { ifAbsent: () => FREE, signal, ttl });
      } catch (error) {
        if (!(error instanceof NothingToWrite)) throw error;
      }
    },
  };
}
