/** The state of one limit as it is stored: whole numbers, the first of which is the instant from which it says nothing. */
export type MeterState = readonly number[];

/** One limit of one key at one instant. All times are in milliseconds. */
export interface Meter {
  /** How much would be let through now. */
  readonly remaining: number;
  /** Until more would be; 0 if all is free. */
  readonly nextAfter: number;
  /** Until all is free again. */
  readonly resetAfter: number;
  /** Whether so much would be let through now. */
  fits(cost: number): boolean;
  /** Until so much would be let through; 0 if it would be now. */
  retryAfter(cost: number): number;
  /** Charges so much, whether it fits or not. */
  charge(cost: number): void;
  /** Takes back so much, or what there is. */
  refund(cost: number): void;
  /** What to store. */
  save(): MeterState;
}

/** A limit that {@link gcra}, {@link slidingWindow} or {@link fixedWindow} made. */
export interface Limit {
  /** Tells it from the other limits of its limiter: in decisions, in headers, and in what is stored. */
  readonly name: string;
  readonly kind: 'gcra' | 'slidingWindow' | 'fixedWindow';
  /** For the limiter: tells it from all others in what is stored. */
  readonly id: string;
  /** The most that can be let through at once. */
  readonly quota: number;
  /** In how many milliseconds all of the quota comes back. */
  readonly window: number;
  /** For the limiter: the limit at an instant, from what is stored. */
  meter(state: MeterState | undefined, now: number): Meter;
}
