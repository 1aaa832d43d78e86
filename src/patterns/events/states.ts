import { NorimakiError } from '../../core/errors.ts';
import { type Aggregate, CODEC } from './aggregate-types.ts';
import { type Folded, foldSlots, nothingFolded } from './fold.ts';
import { openEvents } from './open-events.ts';
import type { NewEvent } from './recorded-event.ts';
import type { EventStoreSettings } from './settings.ts';
import { slotsBehind } from './slots.ts';
import type { Snapshots } from './snapshots.ts';
import type { StreamId } from './stream-id.ts';
import type { SubjectKeys } from './subject-keys.ts';
import type { Tails } from './tails.ts';

/** What it takes to make a state, whatever the commands of its aggregate are. */
export type Evolving<State, Event extends NewEvent> = Pick<
  Aggregate<string, Event, State, never>,
  'name' | 'version' | 'initial' | 'evolve' | typeof CODEC
>;

/** Makes states of streams, from their snapshots on where there are any. */
export class States {
  readonly #settings: EventStoreSettings;
  readonly #tails: Tails;
  readonly #snapshots: Snapshots;
  readonly #keys: SubjectKeys;

  constructor(settings: EventStoreSettings, tails: Tails, snapshots: Snapshots, keys: SubjectKeys) {
    this.#settings = settings;
    this.#tails = tails;
    this.#snapshots = snapshots;
    this.#keys = keys;
  }

  /** The state now, or after version `at`. */
  async load<State, Event extends NewEvent>(
    aggregate: Evolving<State, Event>,
    stream: StreamId,
    at: bigint | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Folded<State>> {
    const kept = await this.#snapshots.find(stream, aggregate.version, at, signal);
    let folded: Folded<State> | undefined;
    if (kept !== undefined) {
      try {
        // A snapshot of this version of the aggregate holds what its evolve made.
        folded = await this.goOn(aggregate, stream, kept as Folded<State>, at, signal);
      } catch (error) {
        if (!NorimakiError.is(error, 'record.corrupt')) throw error;
        // The snapshot may be at fault; if it is not, the same comes again.
      }
    }
    folded ??= await this.goOn(aggregate, stream, nothingFolded(aggregate), at, signal);
    if (at === undefined) await this.#keepIfDue(aggregate, stream, folded);
    return folded;
  }

  /** The state after what has been appended since. */
  async goOn<State, Event extends NewEvent>(
    aggregate: Evolving<State, Event>,
    stream: StreamId,
    from: Folded<State>,
    at: bigint | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Folded<State>> {
    let folded = from;
    // What the codec of the aggregate decodes are its events.
    const evolve = (state: State, event: NewEvent): State => aggregate.evolve(state, event as Event);
    for await (const slots of slotsBehind(this.#tails, stream, from, signal)) {
      const events = await openEvents(this.#settings.name, stream, slots, aggregate[CODEC], this.#keys, signal);
      folded = foldSlots(evolve, folded, slots, events, at);
      if (at !== undefined && BigInt(folded.version) >= at) break;
    }
    return folded;
  }

  /** Keeps the state if enough has happened since it was last kept. */
  async #keepIfDue<State, Event extends NewEvent>(
    { version }: Evolving<State, Event>,
    stream: StreamId,
    folded: Folded<State>,
  ): Promise<void> {
    const { snapshotEvery, onSnapshotError } = this.#settings;
    if (snapshotEvery === 0 || folded.fresh < snapshotEvery) return;
    try {
      await this.#snapshots.keep(stream, version, folded);
    } catch (error) {
      onSnapshotError(error);
    }
  }
}
