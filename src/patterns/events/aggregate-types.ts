import type { $ZodObject, $ZodType, output } from 'zod/v4/core';
import type { EventCodec } from './event-codec.ts';
import type { NewEvent, RecordedEvent } from './recorded-event.ts';
import type { StreamId } from './stream-id.ts';

/** The schemas of events by their type. */
export type EventSchemas = Readonly<Record<string, $ZodType>>;

/** The events of an aggregate, told apart by `type`. */
export type EventOf<Schemas extends EventSchemas> = {
  [T in keyof Schemas & string]: NewEvent<T, output<Schemas[T]>>;
}[keyof Schemas & string];

/** The same, as they are read. */
export type RecordedOf<Event extends NewEvent> =
  Event extends NewEvent<infer Type, infer Data> ? RecordedEvent<Type, Data> : never;

/** An event as it was stored by an earlier version of the definition. */
export interface EarlierEvent {
  readonly type: string;
  /** As the schema of that time stored it. */
  readonly data: unknown;
}

/** Personal fields of one type of event. */
export interface PersonalFields<Data> {
  /** Whose they are: a field that is not personal itself, or a function of the event. */
  readonly subject: (keyof Data & string) | ((data: Data) => string);
  /** The fields, each with what is read in its place once the subject was forgotten. */
  readonly fields: { readonly [F in keyof Data]?: Data[F] };
}

type Personal<Schemas extends EventSchemas> = {
  readonly [T in keyof Schemas]?: Schemas[T] extends $ZodObject ? PersonalFields<output<Schemas[T]>> : never;
};

/** What an aggregate is made of. */
export interface AggregateOptions<Name extends string, Schemas extends EventSchemas, State, Command> {
  /** The category of its streams. */
  readonly name: Name;
  /** A schema for the data of each type of event. */
  readonly events: Schemas;
  /** Of this definition; default 1. Raise it with every change of what is stored, or of what `evolve` makes of it. */
  readonly version?: number | undefined;
  /** Turns an event of version `n` into one of `n + 1`; a missing step changes nothing. */
  readonly upcast?: Readonly<Record<number, (event: EarlierEvent) => EarlierEvent>> | undefined;
  /** Fields that can be forgotten, by type of event. They are stored encrypted with a key for each subject. */
  readonly personal?: Personal<Schemas> | undefined;
  /** The state before the first event; a new one at each call. */
  readonly initial: () => State;
  /** The state after an event. No input and output, no clock, no chance: it runs again whenever the state is loaded. */
  readonly evolve: (state: State, event: EventOf<Schemas>) => State;
  /** The events that a command leads to. What it throws reaches the caller, and nothing is appended. */
  readonly decide?: ((command: Command, state: State) => readonly EventOf<Schemas>[] | EventOf<Schemas>) | undefined;
}

/** The events that a stream holds, for the types only. */
declare const held: unique symbol;

/** A stream of an aggregate: its events are typed. */
export interface AggregateStream<Event extends NewEvent> extends StreamId {
  readonly [held]?: Event;
}

/** The events of a stream, as they are appended. */
export type EventIn<Stream extends StreamId> = Stream extends AggregateStream<infer Event> ? Event : NewEvent;

/** Where the rest of this room finds how events are stored. */
export const CODEC: unique symbol = Symbol('codec');

/** Any aggregate. */
export interface AnyAggregate {
  readonly name: string;
  readonly version: number;
  /** @internal */
  readonly [CODEC]: EventCodec;
}

/** What happened to one kind of thing, and what follows from it. Made by {@link defineAggregate}. */
export interface Aggregate<Name extends string, Event extends NewEvent, State, Command> extends AnyAggregate {
  readonly name: Name;
  initial(): State;
  evolve(state: State, event: Event): State;
  /** Not of an aggregate that was defined without. */
  decide(command: Command, state: State): readonly Event[];
  /** The stream of one of them. Errors: `argument.invalid`. */
  stream(id: string): AggregateStream<Event>;
  /** An event to be appended, checked by the compiler. */
  event<Type extends Event['type']>(
    type: Type,
    data: Extract<Event, { readonly type: Type }>['data'],
    metadata?: unknown,
  ): Extract<Event, { readonly type: Type }>;
}
