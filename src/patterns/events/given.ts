import { deepStrictEqual, throws } from 'node:assert/strict';
import { NorimakiError } from '../../core/errors.ts';
import { type Aggregate, CODEC } from './aggregate-types.ts';
import type { NewEvent } from './recorded-event.ts';

/** An aggregate to which something has happened. */
export interface Given<Event extends NewEvent, State, Command> {
  /** What a command leads to. */
  when(command: Command): When<Event, State>;
  /** Asserts what the events have made. */
  thenState(expected: State): void;
}

/** What a command led to. Each assertion throws an `AssertionError` that shows the difference. */
export interface When<Event extends NewEvent, State> {
  /** Exactly these events, in order. */
  then(expected: readonly Event[]): void;
  /** No event. */
  thenNothing(): void;
  /** The state after its events. */
  thenState(expected: State): void;
  /** It is refused with such an error, and there are no events. */
  thenThrows(expected?: RegExp | (new (...args: never[]) => Error) | Record<string, unknown>): void;
}

/**
 * Tests the decisions of an aggregate without a store: given what happened, when it is told something, then this follows.
 * Events go through their schemas, as they would in a store.
 *
 * @example
 * ```ts
 * given(Account, [Account.event('Deposited', { amount: 5 })])
 *   .when({ type: 'Withdraw', amount: 3 })
 *   .then([Account.event('Withdrawn', { amount: 3 })]);
 * ```
 */
export function given<Event extends NewEvent, State, Command>(
  aggregate: Aggregate<string, Event, State, Command>,
  events: readonly Event[] = [],
): Given<Event, State, Command> {
  const fold = (state: State, happened: readonly Event[]): State =>
    asStored(aggregate, happened).reduce((before, event) => aggregate.evolve(before, event), state);
  const before = (): State => fold(aggregate.initial(), events);
  return {
    when: (command) => {
      const decide = (): readonly Event[] => aggregate.decide(command, before());
      return {
        // biome-ignore lint/suspicious/noThenProperty: given, when, then are the words of such tests.
        then: (expected) => {
          if (!Array.isArray(expected)) throw awaited();
          deepStrictEqual(asStored(aggregate, decide()), asStored(aggregate, expected));
        },
        thenNothing: () => deepStrictEqual(decide(), []),
        thenState: (expected) => deepStrictEqual(fold(before(), decide()), expected),
        thenThrows: (expected) => {
          if (expected === undefined) throws(decide);
          // node:assert types what it takes as one of these.
          else throws(decide, expected as RegExp);
        },
      };
    },
    thenState: (expected) => deepStrictEqual(before(), expected),
  };
}

/** Events as a reader would get them, without what only a store adds. */
function asStored<Event extends NewEvent>(
  { name, version, [CODEC]: codec }: Pick<Aggregate<string, Event, never, never>, 'name' | 'version' | typeof CODEC>,
  events: readonly Event[],
): Event[] {
  const stream = { category: name, id: 'given' };
  return events.map(({ type, data, metadata }) => {
    const event = codec.decode(stream, version, { type, data: codec.encode(stream, type, data) });
    // What the codec of the aggregate decodes are its events.
    return (metadata === undefined ? event : { ...event, metadata }) as Event;
  });
}

function awaited(): NorimakiError<'argument.invalid'> {
  return new NorimakiError(
    'argument.invalid',
    'then takes the list of events that are expected. It is no promise: nothing here needs await.',
    { argument: 'expected' },
  );
}
