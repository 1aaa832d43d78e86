import type { Environment } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { Patience } from '../shared/patience.ts';
import { type EventRecords, type SlotCommit, type SlotEvent, type SlotRecord, streamRecord } from './records.ts';
import { describeStream, type StreamId } from './stream-id.ts';
import type { Tail, Tails } from './tails.ts';

/** What is to stand in a slot. */
export interface SlotContent {
  readonly commits: readonly SlotCommit[];
  readonly events: readonly SlotEvent[];
  readonly closes: boolean;
}

/** Writes slots, each once and for ever. */
export class SlotWriter {
  readonly #store: string;
  readonly #slots: EventRecords['slots'];
  readonly #tails: Tails;
  readonly #environment: Environment;

  constructor(store: string, { slots }: EventRecords, tails: Tails, environment: Environment) {
    this.#store = store;
    this.#slots = slots;
    this.#tails = tails;
    this.#environment = environment;
  }

  /**
   * The slot behind an end, or `undefined` if something else is in it, so that this never will be. Its content names at
   * least one commit, whose id tells it from others. Errors: `size.exceeded`, and those of a write.
   */
  async write(
    stream: StreamId,
    tail: Tail,
    { commits, events, closes }: SlotContent,
    options: BlockCallOptions,
  ): Promise<SlotRecord | undefined> {
    const { signal } = options;
    if (!tail.hasHead) await this.#tails.announce(stream, signal);
    const slot: SlotRecord = {
      ...streamRecord(this.#store, stream),
      slot: tail.slot + 1,
      from: tail.version,
      commits: [...commits],
      events: [...events],
      at: new Date(this.#environment.clock.now()),
      closes: closes ? true : undefined,
    };
    return (await this.#create(stream, slot, commits[0]?.id ?? '', options)) ? slot : undefined;
  }

  /** Whether this slot stands there in the end. */
  async #create(stream: StreamId, slot: SlotRecord, commit: string, options: BlockCallOptions): Promise<boolean> {
    const patience = new Patience(describeStream(stream), this.#environment, options);
    for (;;) {
      try {
        await this.#slots.create(slot, { idempotencyKey: commit, signal: options.signal, retry: options.retry });
        return true;
      } catch (error) {
        if (!leavesDoubt(error)) throw error;
        try {
          const { store, category, stream: id } = slot;
          const found = await this.#slots.get({ store, category, stream: id, slot: slot.slot });
          if (found !== undefined) return found.commits[0]?.id === commit;
          // Sent again it does no harm: a slot is written once, by whomever.
          await patience.next();
        } catch {
          throw unknown(stream, error);
        }
      }
    }
  }
}

function unknown(stream: StreamId, cause: unknown): NorimakiError<'outcome.unknown'> {
  return new NorimakiError(
    'outcome.unknown',
    `The store did not say whether the events were appended to ${describeStream(stream)}. Read it before you decide; with an idempotencyKey the same call can be repeated.`,
    { entity: stream.category },
    { cause },
  );
}

/** Whether the slot itself tells more than the error. */
function leavesDoubt(error: unknown): boolean {
  return (
    NorimakiError.is(error, 'already.exists') ||
    NorimakiError.is(error, 'outcome.unknown') ||
    (NorimakiError.is(error, 'store.unavailable') && error.details.applied === 'unknown')
  );
}
