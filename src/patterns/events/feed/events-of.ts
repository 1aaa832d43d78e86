import type { AggregateStream, AnyAggregate, RecordedOf } from '../aggregate-types.ts';
import type { RecordedEvent } from '../recorded-event.ts';

/** Whose events are followed: those of an aggregate, or of the streams of a category by name. */
export type EventsOf = AnyAggregate | string;

/** The events of aggregates, as they are read; of a category by name nothing more is known. */
export type FollowedEvent<Source extends EventsOf> = Source extends string
  ? RecordedEvent
  : Source extends { stream(id: string): AggregateStream<infer Event> }
    ? RecordedOf<Event>
    : never;

/** The categories of sources; `undefined`: all there are. */
export function categoriesOf(sources: EventsOf | readonly EventsOf[] | undefined): ReadonlySet<string> | undefined {
  if (sources === undefined) return undefined;
  const list: readonly EventsOf[] = isList(sources) ? sources : [sources];
  return new Set(list.map((source) => (typeof source === 'string' ? source : source.name)));
}

function isList(sources: EventsOf | readonly EventsOf[]): sources is readonly EventsOf[] {
  return Array.isArray(sources);
}
