import type { Environment } from '../../../core/clock.ts';
import type { FeedSource } from '../feed/feed-source.ts';
import type { Cursors } from './cursors.ts';
import type { ParkedRecords } from './parked-records.ts';
import type { SubscriptionRecords } from './records.ts';

/** Under what the records of a subscription are stored, and what people call it. */
export interface SubscriptionIdentity {
  /** Name of the event store. */
  readonly store: string;
  readonly id: string;
  readonly name: string;
}

/** What everything about one subscription needs. */
export interface SubscriptionParts extends SubscriptionIdentity {
  /** Of which streams; `undefined`: of all. */
  readonly categories: ReadonlySet<string> | undefined;
  readonly source: FeedSource;
  readonly records: SubscriptionRecords;
  readonly cursors: Cursors;
  readonly parked: ParkedRecords;
  readonly environment: Environment;
}

/** Apart from what projections are stored under. */
export function subscriptionId(name: string): string {
  return `s/${name}`;
}

/** Apart from what other generations, and subscriptions, are stored under. */
export function projectionId(name: string, generation: number): string {
  return `p/${generation}/${name}`;
}
