import { NorimakiError } from '../../../core/errors.ts';
import { fullJitter } from '../../../core/retry/index.ts';
import type { Lease } from '../../shared/lease/index.ts';
import type { FeedSlot, Place } from '../feed/feed-source.ts';
import type { RecordedEvent } from '../recorded-event.ts';
import { handlerFailed } from './errors.ts';
import type { Handed, HandlerFailure } from './handler.ts';
import type { HeldBackStreams } from './held-back.ts';
import type { Handling } from './partition-worker.ts';
import type { SubscriptionParts } from './parts.ts';
import type { ParkedRecord } from './records.ts';
import type { Found } from './work.ts';

/** Why a subscription ends by itself. */
export type Stopped = NorimakiError<'events.handlerFailed'>;

/** Slots that are read at once. */
const READ_AHEAD = 64;

/** In which worker it happens. */
export interface DeliveryTerms {
  readonly partition: number;
  readonly lease: Lease;
  /** Fires when the worker shall end. */
  readonly signal: AbortSignal;
  readonly held: HeldBackStreams;
}

/** What became of some events of a stream. */
interface Outcome {
  readonly place: Place;
  /** The stream is not to be gone on with now. */
  readonly isOver: boolean;
  readonly stopped?: Stopped | undefined;
}

/** Hands out the events of one stream after the other, and moves the cursors. */
export class Delivery {
  readonly #parts: SubscriptionParts;
  readonly #handling: Handling;
  readonly #terms: DeliveryTerms;

  constructor(parts: SubscriptionParts, handling: Handling, terms: DeliveryTerms) {
    this.#parts = parts;
    this.#handling = handling;
    this.#terms = terms;
  }

  /** Hands out all that a stream holds. Errors: those of the store, `fence.stale`. */
  async drain(found: Found): Promise<Stopped | undefined> {
    const { cursors, source } = this.#parts;
    const { signal, held } = this.#terms;
    let place = await cursors.get(found.key, signal);
    for (;;) {
      let slots: FeedSlot[];
      try {
        slots = await source.after(found.stream, place.slot, READ_AHEAD, signal);
      } catch (error) {
        this.#unreadable(found, error);
        return undefined;
      }
      const { isOver, stopped, place: next } = await this.#handOut(found, place, slots);
      if (stopped !== undefined) return stopped;
      if (!isOver && slots.length === READ_AHEAD && !signal.aborted) {
        place = next;
        continue;
      }
      held.forget(found.key);
      return undefined;
    }
  }

  /** Hands out again what was parked and asked for. Errors: those of the store. */
  async replay(): Promise<void> {
    const { parked, source } = this.#parts;
    const { signal, partition } = this.#terms;
    for await (const record of parked.toReplay(signal)) {
      if (record.partition !== partition) continue;
      if (signal.aborted) return;
      const stream = { category: record.category, id: record.stream };
      const slots = await source.after(stream, record.slot, READ_AHEAD, signal);
      const event = slots.flatMap(({ events }) => events).find(({ version }) => version === record.version);
      if (event !== undefined) await this.#replayed(record, event);
    }
  }

  async #replayed(record: ParkedRecord, event: RecordedEvent): Promise<void> {
    const { parked } = this.#parts;
    const { signal, lease } = this.#terms;
    const { failure, handled } = await this.#receive(
      { stream: event.stream, key: record.key },
      [event],
      record.attempts,
    );
    if (failure === undefined && handled === 1) {
      this.#handling.stats.counts.handled++;
      await parked.delete(record, lease.signal);
    } else if (failure !== undefined && !signal.aborted) {
      const attempts = record.attempts + 1;
      this.#handling.stats.failed(this.#failureOf(event, attempts, failure.error));
      await parked.park(event, { ...record, attempts, error: failure.error }, lease.signal);
    }
  }

  async #handOut(found: Found, from: Place, slots: readonly FeedSlot[]): Promise<Outcome> {
    const { checkpointEvery, stats } = this.#handling;
    const { signal, held } = this.#terms;
    const events = slots.flatMap((slot) => slot.events).filter(({ version }) => version > from.version);
    let at = 0;
    let place = placeAfter(from, slots, undefined);
    while (at < events.length) {
      const chunk = events.slice(at, at + checkpointEvery);
      const first = chunk[0] as RecordedEvent; // There is one, as at < events.length.
      const { handled, failure } = await this.#receive(found, chunk, held.attempts(found.key, first.version));
      at += handled;
      stats.counts.handled += handled;
      const failed = failure === undefined ? undefined : events[at];
      const isEnding = signal.aborted || (failure === undefined && handled === 0);
      const decided =
        failed === undefined || isEnding ? undefined : await this.#decide(found, slots, failed, failure?.error);
      if (decided === 'passed') at++;
      place = placeAfter(from, slots, events[at - 1]);
      await this.#move(found, from, place);
      if (decided !== undefined && decided !== 'passed') {
        return { place, isOver: true, stopped: decided === 'held' ? undefined : decided };
      }
      if (isEnding) return { place, isOver: true };
    }
    if (events.length === 0) await this.#move(found, from, place);
    return { place, isOver: false };
  }

  async #move({ key }: Found, from: Place, to: Place): Promise<void> {
    const { lease } = this.#terms;
    if (to.slot === from.slot && to.version === from.version) return;
    // Not by the signal of the worker: what was handled is noted also when it shall end.
    await this.#parts.cursors.move(key, to, lease.token, lease.signal);
    this.#handling.onMoved();
  }

  #receive({ stream, key }: Found, events: readonly RecordedEvent[], failed: number): Promise<Handed> {
    const { partition, lease, signal } = this.#terms;
    return this.#handling.receiver(events, { stream, key, fence: lease.token, partition, attempt: failed + 1, signal });
  }

  async #decide(
    found: Found,
    slots: readonly FeedSlot[],
    event: RecordedEvent,
    error: unknown,
  ): Promise<'passed' | 'held' | Stopped> {
    // Somebody newer has been there: the worker finds out whether it was replaced.
    if (
      NorimakiError.is(error, 'fence.stale') &&
      !(await this.#terms.lease.renew().catch(() => this.#terms.lease.valid()))
    ) {
      return 'held';
    }
    const { settings, decide, stats } = this.#handling;
    const { held, lease, partition } = this.#terms;
    const attempts = held.attempts(found.key, event.version) + 1;
    const failure = this.#failureOf(event, attempts, error);
    stats.failed(failure);
    const decision = attempts < settings.retry.maxAttempts ? 'retry' : decide(failure);
    if (decision === 'retry') {
      this.#hold(found, event.version, attempts);
      return 'held';
    }
    held.forget(found.key);
    if (decision === 'stop') {
      const { category, id } = event.stream;
      return handlerFailed({ subscription: this.#parts.name, category, id, version: event.version, attempts }, error);
    }
    if (decision === 'park') {
      const slot =
        slots.findLast(({ events }) => (events[0]?.version ?? event.version + 1n) <= event.version)?.slot ?? 1;
      const how = { key: found.key, slot: slot - 1, attempts, error, partition };
      await this.#parts.parked.park(event, how, lease.signal);
    }
    stats.counts[decision === 'park' ? 'parked' : 'skipped']++;
    return 'passed';
  }

  #unreadable(found: Found, error: unknown): void {
    const { held, signal } = this.#terms;
    if (signal.aborted) return;
    const attempts = held.attempts(found.key, undefined) + 1;
    const { stats } = this.#handling;
    stats.failed({ subscription: this.#parts.name, stream: found.stream, event: undefined, attempts, error });
    this.#hold(found, undefined, attempts);
  }

  #hold(found: Found, version: bigint | undefined, attempts: number): void {
    const { clock, random } = this.#parts.environment;
    const due = clock.mono() + fullJitter(attempts, this.#handling.settings.retry, random);
    this.#terms.held.hold({ found, version, attempts, due });
  }

  #failureOf(event: RecordedEvent, attempts: number, error: unknown): HandlerFailure {
    return { subscription: this.#parts.name, stream: event.stream, event, attempts, error };
  }
}

/** The place after an event that lies in these slots; without one, after those that hold no event behind `from`. */
function placeAfter(from: Place, slots: readonly FeedSlot[], event: RecordedEvent | undefined): Place {
  const version = event?.version ?? from.version;
  let { slot } = from;
  for (const { slot: next, events } of slots) {
    if (events.some((one) => one.version > version)) break;
    slot = next;
  }
  return { slot, version };
}
