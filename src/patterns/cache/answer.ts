import type { Servable } from './value-codec.ts';

/** An instant: its place among the events of this process, and the monotonic clock. */
export interface Moment {
  readonly order: number;
  readonly mono: number;
}

/** A value for several callers, each of whom has to see whether it is good for it. */
export interface Answer<T> {
  readonly servable: Servable<T | undefined>;
  /** When the store was last known to hold it, or not to have anything newer. */
  readonly verified: Moment;
  /** It was invalidated meanwhile: good only for who asked before. */
  readonly isOutdated: boolean;
  /** The store does not answer: good for all, as nobody can know better. */
  readonly isUnverifiable: boolean;
}
