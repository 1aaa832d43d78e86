import type { Environment } from '../../../core/clock.ts';
import type { FeedSource } from '../feed/feed-source.ts';
import { Cursors } from './cursors.ts';
import { ParkedRecords } from './parked-records.ts';
import type { SubscriptionIdentity, SubscriptionParts } from './parts.ts';
import type { SubscriptionRecords } from './records.ts';

/** What an event store gives its subscriptions. */
export interface FeedContext {
  readonly source: FeedSource;
  readonly records: SubscriptionRecords;
  readonly environment: Environment;
}

export function partsOf(
  { source, records, environment }: FeedContext,
  identity: SubscriptionIdentity,
  categories: ReadonlySet<string> | undefined,
): SubscriptionParts {
  const { store, id } = identity;
  return {
    ...identity,
    categories,
    source,
    records,
    environment,
    cursors: new Cursors(records.cursors, store, id),
    parked: new ParkedRecords(records.parked, { store, subscription: id }, environment),
  };
}
