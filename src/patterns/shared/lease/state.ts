import { z } from 'zod';

/** What the store says of a lease. Nothing in it is a time of day: clocks of several machines are never compared. */
export interface LeaseState {
  /** The incarnation that holds it; `undefined`: nobody. */
  readonly holder?: string | undefined;
  /** Of the last holder; grows by one with each. */
  readonly token: bigint;
  /** Grows with each sign of life. */
  readonly beat: number;
  /** How long the holder may be silent, in milliseconds. */
  readonly ttl: number;
}

/** The fields of a {@link LeaseState}, for the `z.object` of an entity that carries a lease. */
export const leaseFields = {
  holder: z.string().min(1).optional(),
  token: z.bigint().nonnegative(),
  beat: z.int().nonnegative(),
  ttl: z.number().nonnegative(),
};

/** A lease that nobody has held yet: also what no record at all means. */
export const FREE: LeaseState = { holder: undefined, token: 0n, beat: 0, ttl: 0 };

/** Somebody takes it. */
export function taken(now: LeaseState, holder: string, ttl: number): LeaseState {
  return { holder, token: now.token + 1n, beat: 0, ttl };
}

/** The holder is alive. */
export function renewed(now: LeaseState): LeaseState {
  return { ...now, beat: now.beat + 1 };
}

/** The holder gives it back. The token stays, so that the next one is higher. */
export function released(now: LeaseState): LeaseState {
  return { ...now, holder: undefined, beat: now.beat + 1 };
}

/** Whether it is still this very holding, not a later one of the same holder. */
export function isHeldBy(now: LeaseState, holder: string, token: bigint): boolean {
  return now.holder === holder && now.token === token;
}
