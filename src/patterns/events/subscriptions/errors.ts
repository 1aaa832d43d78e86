import { NorimakiError } from '../../../core/errors.ts';

/** The codes of subscriptions, and what they carry in `details`. */
export interface SubscriptionErrorDetails {
  /** The handler failed at an event, and `onError` says `'stop'`. */
  'events.handlerFailed': { subscription: string; category: string; id: string; version: bigint; attempts: number };
  /** The subscription was made with another number of partitions. */
  'events.partitionsDiffer': { subscription: string; partitions: number };
}

// Reaches users because the index of the room exports the interface above: otherwise this file would be in no declaration.
declare module '../../../core/errors.ts' {
  interface ErrorDetails extends SubscriptionErrorDetails {}
}

export function handlerFailed(
  details: SubscriptionErrorDetails['events.handlerFailed'],
  cause: unknown,
): NorimakiError<'events.handlerFailed'> {
  return new NorimakiError(
    'events.handlerFailed',
    `The handler of '${details.subscription}' failed ${details.attempts} times at event ${details.version} of a stream of '${details.category}', so the subscription was stopped. Mend the handler and subscribe again: it goes on at that event. To go on past it say onError: 'park'.`,
    details,
    { cause },
  );
}

export function partitionsDiffer(subscription: string, partitions: number): NorimakiError<'events.partitionsDiffer'> {
  return new NorimakiError(
    'events.partitionsDiffer',
    `The subscription '${subscription}' has ${partitions} partitions for good, or a stream could have two workers at once. Leave partitions out, or subscribe under another name.`,
    { subscription, partitions },
  );
}
