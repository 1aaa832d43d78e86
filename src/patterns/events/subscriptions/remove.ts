import { abortedError } from '../../../core/abort.ts';
import { timesOf } from '../../election/settings.ts';
import { giveBack, PartitionLeases } from './partition-lease.ts';
import type { SubscriptionParts } from './parts.ts';
import { isOf, placesOf } from './work.ts';

/** How long the lease of who removes it may be silent. */
const TIMES = timesOf({});

/**
 * Deletes what is stored of a subscription, partition by partition, each under its lease. What the leases are stored in stays, so
 * that tokens grow for ever. Errors: `aborted`.
 */
export async function removeSubscription(
  parts: SubscriptionParts,
  partitions: number,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = parts.environment;
  for (let partition = 0; partition < partitions; partition++) {
    const lease = await new PartitionLeases(parts, partition, TIMES).acquire(signal);
    if (lease === undefined) throw abortedError(signal);
    try {
      const under = AbortSignal.any([signal, lease.signal]);
      for await (const page of placesOf(parts, isOf(partition, partitions), under)) {
        const keys = page.filter(({ place }) => place !== undefined).map(({ key }) => key);
        await parts.cursors.delete(keys, under);
      }
    } finally {
      await giveBack(lease, clock, TIMES.ttl);
    }
  }
  for await (const record of parts.parked.find({}, signal)) await parts.parked.delete(record, signal);
  await parts.records.subscriptions.delete({ store: parts.store, name: parts.id }, { signal });
}
