import type { Environment } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import { nextTurn } from '../../core/turn.ts';
import { Coalescer } from '../shared/coalescer.ts';
import type { Allowed, Decision } from './decision.ts';
import { Fallback, isStoreFailure } from './fallback.ts';
import { type Change, type Consume, Ledger, type RoomTaken } from './ledger.ts';
import type { LocalBlocks } from './local-blocks.ts';
import { blankState, type RateRecord, type RateRecords, type RateState } from './records.ts';
import type { RoomAhead } from './room-ahead.ts';
import type { LimiterSettings } from './settings.ts';

/** What this process knows without the store. */
interface Local {
  readonly blocks: LocalBlocks;
  readonly ahead: RoomAhead | undefined;
}

/** Decisions by the record of a key: calls that wait for the same key are decided in order of arrival, by one write. */
export class StoreDecisions {
  readonly #settings: LimiterSettings;
  readonly #records: RateRecords;
  readonly #environment: Environment;
  readonly #local: Local;
  readonly #fallback: Fallback;
  readonly #together: Coalescer<string, Consume, Decision>;
  readonly stats = { decisions: 0, denials: 0, fallbacks: 0, rounds: 0 };

  constructor(settings: LimiterSettings, records: RateRecords, environment: Environment, local: Local) {
    this.#settings = settings;
    this.#records = records;
    this.#environment = environment;
    this.#local = local;
    this.#fallback = new Fallback(settings, environment.clock);
    this.#together = new Coalescer((key, calls, signal) => this.#decide(key, calls, signal));
  }

  /** Lets a call through by room that was taken ahead; never past calls that wait. */
  consumeAhead(key: string, cost: number): Allowed | undefined {
    const { ahead } = this.#local;
    return ahead === undefined || this.#together.isWaiting(key) ? undefined : ahead.consume(key, cost);
  }

  consume(key: string, call: Consume, signal: AbortSignal | undefined): Promise<Decision> {
    return this.#together.add(key, key, call, signal);
  }

  /** Errors: those of the store. */
  async change(key: string, change: Change, signal: AbortSignal | undefined): Promise<Decision> {
    let decision: Decision | undefined;
    try {
      await this.#mutate(key, signal, (ledger) => {
        decision = ledger.apply(change);
      });
    } finally {
      this.#local.blocks.forget(key);
      this.#local.ahead?.forget(key);
    }
    return decision as Decision; // `mutate` ran the function, or threw
  }

  async peek(key: string, cost: number, signal: AbortSignal | undefined): Promise<Decision> {
    const { limits, name } = this.#settings;
    try {
      const state = await this.#inTime(this.#records.get({ name, key }, { signal }));
      return new Ledger(limits, state ?? blankState(), this.#environment.clock.now(), 'store').peek(cost);
    } catch (error) {
      if (signal?.aborted || !isStoreFailure(error)) throw error;
      return this.#fallback.peek(key, cost, error);
    }
  }

  async #decide(key: string, calls: readonly Consume[], signal: AbortSignal | undefined): Promise<readonly Decision[]> {
    const here = this.#local.ahead?.consumeAll(key, calls) ?? [];
    if (here.length === 0) return this.#ask(key, calls, signal);
    return here.length === calls.length ? here : [...here, ...(await this.#ask(key, calls.slice(here.length), signal))];
  }

  async #ask(key: string, calls: readonly Consume[], signal: AbortSignal | undefined): Promise<readonly Decision[]> {
    const { stats } = this;
    const { blocks, ahead } = this.#local;
    stats.rounds++;
    let decisions: readonly Decision[] = [];
    let taken: RoomTaken | undefined;
    const order = ahead?.order(key, calls);
    try {
      const record = await this.#mutate(key, signal, (ledger) => {
        decisions = calls.map((call) => ledger.consume(call));
        // Where a call was refused there is none to spare.
        taken = order && ledger.takeAhead(decisions.every(({ allowed }) => allowed) ? order.size : 0);
      });
      if (taken !== undefined) order?.keep(taken);
      const denials = decisions.reduce((sum, { allowed }) => sum + (allowed ? 0 : 1), 0);
      // What was charged since the last refusal would make that say too early an instant.
      if (denials > 0) blocks.add(key, record);
      else blocks.forget(key);
      stats.denials += denials;
    } catch (error) {
      if (signal?.aborted || !isStoreFailure(error)) throw error;
      decisions = this.#fallback.decide(key, calls, error);
      for (const { allowed } of decisions) if (!allowed) stats.denials++;
      stats.fallbacks += decisions.length;
    }
    stats.decisions += decisions.length;
    return decisions;
  }

  /** Resolves to the record as it is after `change`, which may run several times. */
  #mutate(key: string, signal: AbortSignal | undefined, change: (ledger: Ledger) => void): Promise<RateRecord> {
    const { limits, name, timeout } = this.#settings;
    const { clock } = this.#environment;
    const run = (draft: RateState): void => {
      const ledger = new Ledger(limits, draft, clock.now(), 'store');
      change(ledger);
      if (ledger.isChanged) ledger.save(draft);
    };
    const retry = { deadline: timeout };
    return this.#inTime(this.#records.mutate({ name, key }, run, { ifAbsent: blankState, signal, retry }));
  }

  /** What is late goes on until it fails by itself, and nobody listens any more. Errors: `deadline.exceeded`. */
  #inTime<T>(work: Promise<T>): Promise<T> {
    const { timeout, name } = this.#settings;
    return new Promise<T>((resolve, reject) => {
      let isSettled = false;
      let timer: AbortController | undefined;
      const settled = (): void => {
        isSettled = true;
        timer?.abort();
      };
      work.then(
        (result) => {
          settled();
          resolve(result);
        },
        (error: unknown) => {
          settled();
          reject(error);
        },
      );
      const isLate = (): void => {
        const message = `The store took longer than ${timeout} ms for a decision of the limiter '${name}'.`;
        reject(new NorimakiError('deadline.exceeded', message, { waited: timeout, applied: 'unknown' }));
      };
      // A store in this process has answered by then, and a timer would cost more than the decision.
      void nextTurn().then(() => {
        if (isSettled) return;
        timer = new AbortController();
        this.#environment.clock.sleep(timeout, { signal: timer.signal, background: true }).then(isLate, () => {});
      });
    });
  }
}
