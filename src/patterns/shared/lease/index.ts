/**
 * A lease on one record: at most one holder at a time, a token that grows with each, and no trust in anybody else's clock.
 *
 * Whoever wants it keeps a {@link LeaseCandidate} and tries until it gets a {@link Lease}; the holder renews it in time, or
 * has it kept. A follower takes over when it has seen no sign of life for `ttl` on its own clock; the holder stops before
 * that on its own. As long as no clock runs wrong by more than `maxDriftRate` no two have `valid()` at the same instant.
 *
 * The record is any entity with the `leaseFields`, or a part of a record: then write a {@link LeasePlace}, two functions. Its
 * safety needs atomic compare-and-swap, its token that the record is never deleted.
 *
 * @example
 * ```ts
 * const Flight = defineEntity('norimaki.flight', z.object({ key: z.string(), ...leaseFields }), { id: 'key' });
 * const place = recordPlace(db.repo(Flight), key);
 * const candidate = new LeaseCandidate(place, { environment: db.environment, ttl: 5_000, maxDriftRate: 0.01 });
 *
 * const lease = await candidate.tryAcquire(signal);
 * if (lease === undefined) {
 *   await clock.sleep(Math.min(poll, candidate.patience)); // somebody else is at it: look again, with the same candidate
 * } else {
 *   void lease.keep(1_500);                                // ends with the lease
 *   try {
 *     await load(lease.signal);                            // fires when it is over
 *     if (lease.valid()) …
 *   } finally {
 *     await lease.release();
 *   }
 * }
 * ```
 */
export { LeaseCandidate } from './candidate.ts';
export { type Deadline, deadlineOf, type Instant, isAhead } from './deadline.ts';
export { Lease, type LeaseEnd } from './lease.ts';
export { type Observed, observe, patienceLeft } from './observed.ts';
export { type LeasePlace, recordPlace } from './place.ts';
export { FREE, isHeldBy, type LeaseState, leaseFields, released, renewed, taken } from './state.ts';
