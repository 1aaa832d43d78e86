import type { Environment } from '../../core/clock.ts';
import type { Store } from '../../core/store.ts';
import type { Database } from '../../repositories/index.ts';
import { type BlockCallOptions, refuse } from '../shared/options.ts';
import { requireStore } from '../shared/require-store.ts';
import { Turns } from '../shared/turns.ts';
import type { Aggregate, AnyAggregate, EventIn, RecordedOf } from './aggregate-types.ts';
import { Appends } from './appends.ts';
import type { AppendOptions, AppendResult, Loaded, LoadOptions, ReadStreamOptions } from './call-options.ts';
import { CommitEvents, checkExpected, keyed } from './commit-events.ts';
import type { EventsOf, FollowedEvent } from './feed/events-of.ts';
import { Feeds, type SubscribeToOptions } from './feed/feeds.ts';
import { type Handled, type HandleOptions, handle } from './handle.ts';
import { openEvents } from './open-events.ts';
import type { ProjectionDefinition, ViewSource } from './projections/define-projection.ts';
import type { Projection } from './projections/projection.ts';
import type { ProjectOptions, RebuildOptions } from './projections/settings.ts';
import type { View } from './projections/view.ts';
import type { NewEvent, RecordedEvent } from './recorded-event.ts';
import { eventRecords } from './records.ts';
import { codecOf, type EventStoreOptions, type EventStoreSettings, settingsOf } from './settings.ts';
import { SlotWriter } from './slot-writer.ts';
import { placeBefore, slotsBehind } from './slots.ts';
import { Snapshots } from './snapshots.ts';
import { States } from './states.ts';
import { checkStream, type StreamId } from './stream-id.ts';
import { SubjectKeys } from './subject-keys.ts';
import type { EventHandler } from './subscriptions/handler.ts';
import type { Subscription } from './subscriptions/subscription.ts';
import type { SubscriptionHandle } from './subscriptions/subscription-handle.ts';
import { Tails } from './tails.ts';
import { textOfValue } from './value-text.ts';

/**
 * Streams of events: what happened, in order, for ever. Appending says what it expects of the stream; several events are
 * appended together or not at all; a crash at any point loses nothing that was acknowledged and blocks nobody.
 *
 * @example
 * ```ts
 * const store = new EventStore(db, { name: 'bank', aggregates: [Account] });
 * await store.handle(Account, 'NL-1', { type: 'Deposit', amount: 5 });
 * const { state } = await store.load(Account, 'NL-1');
 * ```
 */
export class EventStore<St extends Store = Store> {
  readonly name: string;
  readonly #settings: EventStoreSettings;
  readonly #environment: Environment;
  readonly #tails: Tails;
  readonly #commits: CommitEvents;
  readonly #states: States;
  readonly #keys: SubjectKeys;
  readonly #turns: Turns;
  readonly #feeds: () => Feeds<St>;

  /** Errors: `argument.invalid`, `capability.missing`. */
  constructor(db: Database<St>, options: EventStoreOptions) {
    const settings = settingsOf(options);
    requireStore('EventStore', db, options, {
      cas: 'the key of a forgotten subject could come back',
      ifAbsent: 'of two events at one version one would be overwritten',
    });
    const { name } = settings;
    const { environment } = db;
    const records = eventRecords(db);
    this.name = name;
    this.#settings = settings;
    this.#environment = environment;
    this.#tails = new Tails(name, records);
    this.#keys = new SubjectKeys(name, records, environment.random);
    this.#states = new States(
      settings,
      this.#tails,
      new Snapshots(name, records, this.#keys, environment.random),
      this.#keys,
    );
    const writer = new SlotWriter(name, records, this.#tails, environment);
    const appends = new Appends(this.#tails, writer, environment);
    this.#commits = new CommitEvents(settings, this.#keys, appends, environment);
    this.#turns = new Turns(environment.clock);
    let feeds: Feeds<St> | undefined;
    this.#feeds = () => {
      feeds ??= new Feeds(db, name, this.#tails, (...call) => this.#open(...call));
      return feeds;
    };
  }

  /**
   * Appends events, all of them or none. Errors: `events.versionConflict`, `events.idempotencyMismatch`,
   * `events.streamClosed`, `events.unknownType`, `events.commitTooLarge`, `events.subjectForgotten`, `validation.failed`,
   * and those of a write; after `outcome.unknown` ask again with the same key, or read.
   *
   * @example
   * ```ts
   * await store.append(Account.stream('NL-1'), [Account.event('Deposited', { amount: 5 })], { expected: 12n });
   * ```
   */
  async append<Stream extends StreamId>(
    stream: Stream,
    events: readonly EventIn<Stream>[],
    { expected, idempotencyKey, ...options }: AppendOptions,
  ): Promise<AppendResult> {
    checkStream(stream);
    checkExpected(expected);
    if (events.length === 0) refuse('events', 'There is nothing to append: give at least one event.');
    const { version, outcome } = await this.#commits.append(stream, events, expected, options, (content) =>
      idempotencyKey === undefined ? undefined : keyed(idempotencyKey, content),
    );
    return { version: BigInt(version), outcome };
  }

  /**
   * The events of a stream in order, up to its end; in bounded memory. It yields what there is without a gap, or throws.
   * Errors: `events.unknownType`, `record.corrupt`, `record.newer`, and what an upcast throws.
   */
  async *read<Stream extends StreamId>(
    stream: Stream,
    { from = 1n, limit = Number.POSITIVE_INFINITY, signal }: ReadStreamOptions = {},
  ): AsyncGenerator<RecordedOf<EventIn<Stream>>, void, undefined> {
    checkStream(stream);
    if (typeof from !== 'bigint') refuse('from', 'from is a version, a bigint: write 1n.');
    if (!(limit > 0)) refuse('limit', 'limit is a number of events, at least 1.');
    const before = await placeBefore(this.#tails, stream, Number(from) - 1, signal);
    let left = limit;
    for await (const slots of slotsBehind(this.#tails, stream, before, signal)) {
      for (const event of await this.#open(stream, slots, signal)) {
        if (event.version < from) continue;
        // The codec of its aggregate makes the events of a stream what its type says.
        yield event as RecordedOf<EventIn<Stream>>;
        left -= 1;
        if (left <= 0) return;
      }
    }
  }

  /** The version of a stream: 0n if nothing was appended to it. */
  async version(stream: StreamId, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<bigint> {
    const { version } = await this.#tails.find(checkStream(stream), signal);
    return BigInt(version);
  }

  /** The state that the events of one aggregate make. Errors: those of `read`. */
  async load<Event extends NewEvent, State>(
    aggregate: Aggregate<string, Event, State, never>,
    id: string,
    { at, signal }: LoadOptions = {},
  ): Promise<Loaded<State>> {
    this.#known(aggregate);
    const { state, version } = await this.#states.load(aggregate, aggregate.stream(id), at, signal);
    return { state, version: BigInt(version) };
  }

  /**
   * Loads an aggregate, decides what a command leads to, and appends it; decides anew where somebody else was faster.
   * Errors: what `decide` throws, those of `load` and `append`, and `conflict.exhausted`.
   */
  async handle<Event extends NewEvent, State, Command>(
    aggregate: Aggregate<string, Event, State, Command>,
    id: string,
    command: Command,
    options: HandleOptions = {},
  ): Promise<Handled<State, Event>> {
    this.#known(aggregate);
    const stream = aggregate.stream(id);
    const { idempotencyKey, ...call } = options;
    // Whatever it decides the second time, it is the same command.
    const key = idempotencyKey === undefined ? undefined : keyed(idempotencyKey, textOfValue(command));
    const parts = {
      states: this.#states,
      tails: this.#tails,
      turns: this.#turns,
      environment: this.#environment,
      key,
      append: (to: StreamId, events: readonly NewEvent[], expected: bigint) =>
        this.#commits.append(to, events, expected, call, () => key),
    };
    return handle(parts, aggregate, stream, command, options);
  }

  /** Ends a stream: it can be read for ever, and takes no more events. Errors: `events.versionConflict`. */
  async close(stream: StreamId, { expected, ...options }: Omit<AppendOptions, 'idempotencyKey'>): Promise<void> {
    checkStream(stream);
    checkExpected(expected);
    await this.#commits.close(stream, expected, options);
  }

  /**
   * Forgets a subject: its personal fields can never be read again, by anybody, in any stream, and read as what stands in
   * their place. Whether there was anything to forget. What was made of them elsewhere, such as views, is to be made anew.
   */
  async forget(subject: string, options: BlockCallOptions = {}): Promise<boolean> {
    return this.#keys.forget(subject, options);
  }

  /**
   * Hands each event to `handler` at least once, those of a stream in order: one worker for each partition, whichever processes
   * subscribe under one name. See {@link Subscription}. Errors: `argument.invalid`, `capability.missing`.
   *
   * @example
   * ```ts
   * await using subscription = store.subscribe({ name: 'mailer', streams: Account, onError: 'park' }, async (event, { signal }) => {
   *   if (event.type === 'Deposited') await send(event.data.amount, signal);
   * });
   * ```
   */
  subscribe<const Events extends EventsOf>(
    options: SubscribeToOptions<Events>,
    handler: EventHandler<FollowedEvent<Events>>,
  ): Subscription {
    return this.#feeds().subscribe(options, handler);
  }

  /** A subscription as everybody sees it, wherever it is worked on: how far it is, and what it has parked. */
  subscription(name: string): SubscriptionHandle {
    return this.#feeds().subscription(name);
  }

  /**
   * Keeps the views of a projection up to date in this process: alone, or in turn with others. Errors: `argument.invalid`,
   * `capability.missing`, `model.invalid`.
   *
   * @example
   * ```ts
   * await using projection = store.project(Balances);
   * await projection.caughtUp();
   * ```
   */
  project(definition: ProjectionDefinition, options: ProjectOptions = {}): Projection {
    return this.#feeds().project(definition, options);
  }

  /**
   * Builds the views of a projection anew while readers see the old ones, switches, and deletes the old ones. Stopped or crashed,
   * the same call goes on where it was. Errors: `argument.invalid`, `capability.missing`, `events.projectionNewer`,
   * `events.handlerFailed` with `onError: 'stop'`, `aborted`.
   *
   * @example
   * ```ts
   * await store.rebuild(Balances, { onProgress: ({ done, total }) => console.log(`${done} of ${total}`) });
   * ```
   */
  rebuild(definition: ProjectionDefinition, options: RebuildOptions = {}): Promise<void> {
    return this.#feeds().rebuild(definition, options);
  }

  /**
   * The views of a projection, to be read as from a repository: `get`, `find`, `scan`, `search` and so on, as far as the store
   * can. Errors: `capability.missing`.
   *
   * @example
   * ```ts
   * const balance = await store.view(Balances).get('mia');
   * ```
   */
  view<Source extends ViewSource>(definition: ProjectionDefinition<Source>): View<Source, St> {
    return this.#feeds().view(definition);
  }

  #open(
    stream: StreamId,
    slots: Parameters<typeof openEvents>[2],
    signal: AbortSignal | undefined,
  ): Promise<RecordedEvent[]> {
    return openEvents(this.name, stream, slots, codecOf(this.#settings, stream), this.#keys, signal);
  }

  #known({ name }: Pick<AnyAggregate, 'name'>): void {
    if (this.#settings.aggregates.has(name)) return;
    refuse(
      'aggregate',
      `The event store '${this.name}' was not told of the aggregate ${name}: list it in its option aggregates.`,
    );
  }
}
