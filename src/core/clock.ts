/** Options of a sleep. */
export interface SleepOptions {
  readonly signal?: AbortSignal | undefined;
  /** A background sleep does not keep the process alive. */
  readonly background?: boolean | undefined;
}

/** Where time comes from. Injected everywhere, so that a test can stop, skip or turn back time. */
export interface Clock {
  /** Wall-clock time in milliseconds since 1970. May jump. */
  now(): number;
  /** Monotonic time in milliseconds from an arbitrary origin; for measuring waits. */
  mono(): number;
  /** Resolves after `ms` milliseconds; rejects with `aborted` as soon as the signal does. */
  sleep(ms: number, options?: SleepOptions): Promise<void>;
}

/** Where chance comes from. Injected everywhere, so that a failure replays from a seed. */
export interface Random {
  /** A number in [0, 1). */
  float(): number;
  /** `length` random bytes; unpredictable in production. */
  bytes(length: number): Uint8Array;
}

/** Time and chance, as one bundle that is handed down. */
export interface Environment {
  readonly clock: Clock;
  readonly random: Random;
}
