import type { Environment } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { Patience } from '../shared/patience.ts';
import type { Turns } from '../shared/turns.ts';
import type { Aggregate } from './aggregate-types.ts';
import { CODEC } from './aggregate-types.ts';
import type { Appended } from './decide-commits.ts';
import { idempotencyMismatch } from './errors.ts';
import { commitsOf, WINDOW } from './find-placed.ts';
import type { Folded } from './fold.ts';
import type { NewEvent } from './recorded-event.ts';
import type { States } from './states.ts';
import { describeStream, type StreamId, streamName } from './stream-id.ts';
import type { Tails } from './tails.ts';

export interface HandleOptions extends BlockCallOptions {
  /** Repeating the same command with the same key, in any process, has its effect once. Remembered for 64 commits of the stream. */
  readonly idempotencyKey?: string | undefined;
}

/** What a command led to. */
export interface Handled<State, Event extends NewEvent> {
  /** After its events. */
  readonly state: State;
  readonly version: bigint;
  /** What was appended; empty if the command changed nothing, or was repeated. */
  readonly events: readonly Event[];
  readonly outcome: 'appended' | 'replayed' | 'unchanged';
}

/** What handling a command needs of its store. */
export interface HandleParts {
  readonly states: States;
  readonly tails: Tails;
  readonly turns: Turns;
  readonly environment: Environment;
  append(stream: StreamId, events: readonly NewEvent[], expected: bigint): Promise<Appended>;
  /** What a commit of this command under its key would say. */
  readonly key: { readonly hash: string; readonly content: string } | undefined;
}

/**
 * Loads, decides and appends; where somebody else was faster, it decides again on what is there then, never repeating what
 * was decided on an earlier state.
 */
export async function handle<State, Event extends NewEvent, Command>(
  parts: HandleParts,
  aggregate: Aggregate<string, Event, State, Command>,
  stream: StreamId,
  command: Command,
  options: HandleOptions,
): Promise<Handled<State, Event>> {
  const { states, turns, environment } = parts;
  const { signal } = options;
  const patience = new Patience(describeStream(stream), environment, options);
  // Those of one process would only get in each other's way.
  return turns.run(streamName(stream), { signal, from: environment.clock.mono(), until: undefined }, async () => {
    let folded: Folded<State> | undefined;
    for (;;) {
      const replayed = await replayOf(parts, stream, folded?.slot, signal);
      if (replayed !== undefined) {
        const { state, version } = await states.load(aggregate, stream, BigInt(replayed), signal);
        return { state, version: BigInt(version), events: [], outcome: 'replayed' };
      }
      folded =
        folded === undefined
          ? await states.load(aggregate, stream, undefined, signal)
          : await states.goOn(aggregate, stream, folded, undefined, signal);
      const { version } = folded;
      const events = aggregate.decide(command, folded.state);
      if (events.length === 0) return { state: folded.state, version: BigInt(version), events, outcome: 'unchanged' };
      try {
        const appended = await parts.append(stream, events, BigInt(version));
        // Another process has handled the command meanwhile.
        if (appended.outcome === 'replayed') continue;
        const state = after(aggregate, stream, folded.state, events);
        return { state, version: BigInt(appended.version), events, outcome: 'appended' };
      } catch (error) {
        if (!NorimakiError.is(error, 'events.versionConflict')) throw error;
      }
      await patience.next();
    }
  });
}

/**
 * The version after this very command, if it was handled before: in the last slots, or in those behind one. Errors:
 * `events.idempotencyMismatch`.
 */
async function replayOf(
  { tails, key }: HandleParts,
  stream: StreamId,
  behind: number | undefined,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  if (key === undefined) return undefined;
  const { slot } = await tails.find(stream, signal);
  const first = behind ?? Math.max(0, slot - WINDOW);
  const slots = slot <= first ? [] : await tails.slotsAfter(stream, first, slot - first, signal);
  const found = slots.flatMap(commitsOf).find(({ commit }) => commit.key === key.hash);
  if (found === undefined) return undefined;
  if (found.commit.content !== key.content) throw idempotencyMismatch(stream);
  return found.version;
}

/** The state after events that were just appended, as a reader would find them. */
function after<State, Event extends NewEvent>(
  aggregate: Aggregate<string, Event, State, never>,
  stream: StreamId,
  before: State,
  events: readonly Event[],
): State {
  const codec = aggregate[CODEC];
  return events.reduce((state, { type, data, metadata }) => {
    const event = codec.decode(stream, aggregate.version, { type, data: codec.encode(stream, type, data) });
    // What the codec of the aggregate decodes are its events.
    return aggregate.evolve(state, (metadata === undefined ? event : { ...event, metadata }) as Event);
  }, before);
}
