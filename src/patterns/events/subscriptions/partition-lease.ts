import type { Clock } from '../../../core/clock.ts';
import { isPassing } from '../../election/campaign.ts';
import type { Times } from '../../election/settings.ts';
import { type Lease, LeaseCandidate, recordPlace } from '../../shared/lease/index.ts';
import type { SubscriptionParts } from './parts.ts';

/** Waits until a partition is this process's, and keeps it. `undefined`: stopped. Errors: those that waiting does not cure. */
export class PartitionLeases {
  readonly #parts: SubscriptionParts;
  readonly #times: Times;
  readonly #candidate: LeaseCandidate;

  constructor(parts: SubscriptionParts, partition: number, times: Times) {
    const { environment, records, store, id } = parts;
    const { ttl, maxDriftRate } = times;
    const place = recordPlace(records.workers, { store, subscription: id, partition });
    this.#parts = parts;
    this.#times = times;
    this.#candidate = new LeaseCandidate(place, { environment, ttl, maxDriftRate });
  }

  async acquire(stop: AbortSignal): Promise<Lease | undefined> {
    const { clock, random } = this.#parts.environment;
    const { pollEvery, renewEvery } = this.#times;
    while (!stop.aborted) {
      try {
        const lease = await this.#candidate.tryAcquire(stop);
        if (lease !== undefined) {
          void lease.keep(renewEvery, { background: true });
          return lease;
        }
      } catch (error) {
        if (!stop.aborted && !isPassing(error)) throw error;
      }
      const { patience } = this.#candidate;
      const wait = pollEvery * (0.5 + 0.5 * random.float());
      // Zero: somebody was faster.
      await clock.sleep(patience > 0 ? Math.min(wait, Math.ceil(patience)) : wait, { signal: stop }).catch(() => {});
    }
    return undefined;
  }
}

/** What is not given back in time runs out by itself. */
export async function giveBack(lease: Lease, clock: Clock, within: number): Promise<void> {
  const stop = new AbortController();
  void clock.sleep(within, { signal: stop.signal, background: true }).then(
    () => stop.abort(),
    () => {},
  );
  await lease.release(stop.signal).catch(() => false);
  stop.abort();
}
