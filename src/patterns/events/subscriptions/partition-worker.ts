import { NorimakiError } from '../../../core/errors.ts';
import { fullJitter } from '../../../core/retry/index.ts';
import type { Lease } from '../../shared/lease/index.ts';
import { Agenda } from './agenda.ts';
import { beginAtEnd } from './definition.ts';
import { Delivery, type Stopped } from './delivery.ts';
import type { FailureDecision, HandlerFailure, Receiver } from './handler.ts';
import type { SubscriptionParts } from './parts.ts';
import { Pulse } from './pulse.ts';
import type { WorkerSettings } from './settings.ts';
import type { SubscriptionStats } from './stats.ts';
import { type Found, isOf, unhandled } from './work.ts';

/** How events of a subscription are handled. */
export interface Handling {
  readonly settings: WorkerSettings;
  readonly receiver: Receiver;
  readonly checkpointEvery: number;
  readonly decide: (failure: HandlerFailure) => FailureDecision;
  readonly stats: SubscriptionStats;
  /** Some place was moved. */
  readonly onMoved: () => void;
}

/** Handles the events of one partition for as long as it has the lease of it. */
export class PartitionWorker {
  readonly #parts: SubscriptionParts;
  readonly #handling: Handling;
  readonly #lease: Lease;
  readonly #signal: AbortSignal;
  readonly #agenda: Agenda;
  readonly #delivery: Delivery;
  readonly #pulse: Pulse;
  readonly #partition: number;
  #hasBegun = false;
  #areReplaysDue = true;
  #failures = 0;

  /** `stop` fires when it shall end; an event that is being handled is waited for. */
  constructor(
    parts: SubscriptionParts,
    handling: Handling,
    { partition, partitions, lease, stop }: { partition: number; partitions: number; lease: Lease; stop: AbortSignal },
  ) {
    const { clock } = parts.environment;
    const { settings } = handling;
    this.#parts = parts;
    this.#handling = handling;
    this.#lease = lease;
    this.#partition = partition;
    this.#signal = AbortSignal.any([stop, lease.signal]);
    this.#pulse = new Pulse(clock);
    const isTold = parts.source.changes !== undefined;
    this.#agenda = new Agenda(clock, isTold ? settings.sweepEvery : settings.pollEvery, () => {
      this.#areReplaysDue = true;
      return unhandled(parts, isOf(partition, partitions), this.#signal);
    });
    this.#delivery = new Delivery(parts, handling, { partition, lease, signal: this.#signal, held: this.#agenda.held });
  }

  /** A stream was written to; `undefined`: any may have been. */
  notice(found: Found | undefined): void {
    this.#agenda.notice(found);
    this.#pulse.beat();
  }

  /** Somebody may have asked for parked events to be handled again. */
  noticeReplay(): void {
    this.#areReplaysDue = true;
    this.#pulse.beat();
  }

  /** Until the lease is lost, or it is stopped; then `undefined`, or why the subscription is to be stopped. Never rejects. */
  async run(): Promise<Stopped | undefined> {
    while (!this.#signal.aborted) {
      const beat = this.#pulse.signal;
      try {
        const stopped = await this.#step();
        this.#failures = 0;
        if (stopped === 'idle') await this.#pulse.wait(this.#agenda.wait, beat, this.#signal);
        else if (stopped !== undefined) return stopped;
      } catch (error) {
        if (this.#signal.aborted || (await this.#isReplaced(error))) return undefined;
        await this.#waitOut(error);
      }
    }
    return undefined;
  }

  async #step(): Promise<Stopped | 'idle' | undefined> {
    if (!this.#hasBegun) {
      await beginAtEnd(this.#parts, this.#partition, this.#signal);
      this.#hasBegun = true;
      this.#handling.onMoved();
    }
    if (this.#areReplaysDue) {
      this.#areReplaysDue = false;
      await this.#delivery.replay().catch((error: unknown) => {
        this.#areReplaysDue = true;
        throw error;
      });
    }
    const found = await this.#agenda.next();
    return found === undefined ? (this.#areReplaysDue ? undefined : 'idle') : this.#delivery.drain(found);
  }

  /** The store knows who is newer. */
  async #isReplaced(error: unknown): Promise<boolean> {
    if (!NorimakiError.is(error, 'fence.stale')) return false;
    return !(await this.#lease.renew().catch(() => this.#lease.valid()));
  }

  /** Looking for events failed: what was found is not lost, as it is found again. */
  async #waitOut(error: unknown): Promise<void> {
    const { settings, stats } = this.#handling;
    const { clock, random } = this.#parts.environment;
    this.#failures++;
    stats.failed({
      subscription: this.#parts.name,
      stream: undefined,
      event: undefined,
      attempts: this.#failures,
      error,
    });
    const wait = fullJitter(this.#failures, settings.retry, random);
    await clock.sleep(wait, { signal: this.#signal }).catch(() => {});
  }
}
