import type { Aggregate } from './aggregate-types.ts';
import type { NewEvent, RecordedEvent } from './recorded-event.ts';
import type { SlotRecord } from './records.ts';

/** What the events of a stream make, up to some slot. */
export interface Folded<State> {
  readonly state: State;
  readonly version: number;
  readonly slot: number;
  /** Whose personal fields went into it. */
  readonly subjects: ReadonlySet<string>;
  /** Events since the last snapshot. */
  readonly fresh: number;
}

export function nothingFolded<State>(
  aggregate: Pick<Aggregate<string, NewEvent, State, unknown>, 'initial'>,
): Folded<State> {
  return { state: aggregate.initial(), version: 0, slot: 0, subjects: new Set(), fresh: 0 };
}

/** What slots, and the events in them as they are read, make of what was before; up to a version. */
export function foldSlots<State>(
  evolve: (state: State, event: NewEvent) => State,
  folded: Folded<State>,
  slots: readonly SlotRecord[],
  events: readonly RecordedEvent[],
  until: bigint | undefined,
): Folded<State> {
  let { state, version, slot } = folded;
  const wanted = until === undefined ? events : events.filter((event) => event.version <= until);
  for (const event of wanted) state = evolve(state, event);
  version += wanted.length;
  slot = slots.at(-1)?.slot ?? slot;
  const named = slots.flatMap((one) =>
    one.events.flatMap(({ personal }) => (personal === undefined ? [] : [personal.subject])),
  );
  const subjects = named.length === 0 ? folded.subjects : new Set([...folded.subjects, ...named]);
  return { state, version, slot, subjects, fresh: folded.fresh + wanted.length };
}
