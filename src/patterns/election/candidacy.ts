import { throwIfAborted } from '../../core/abort.ts';
import type { Environment } from '../../core/clock.ts';
import { type Duration, milliseconds } from '../../core/duration.ts';
import { NorimakiError } from '../../core/errors.ts';
import { refuse } from '../shared/options.ts';
import { campaign } from './campaign.ts';
import { lost } from './errors.ts';
import { Leadership } from './leadership.ts';
import { type ElectionState, type Leader, leaderOf, observing, type PatienceWith } from './observe.ts';
import { instantOfTick, type OnceResult, ticks } from './once.ts';
import type { ElectionAccess } from './records.ts';
import type { Resource } from './resource.ts';
import type { Seat, Tenure } from './seat.ts';
import { type Served, serve } from './serve.ts';
import type { Times } from './settings.ts';
import { isSucceededBy, nameHeir } from './transfer.ts';

/** Options of `lead`. */
export interface LeadOptions {
  /** Ends it: the work is asked to end, and the leadership given back. */
  readonly signal?: AbortSignal | undefined;
  /** How long the work may take to end once it was asked to; default `'5s'`. */
  readonly drain?: Duration | undefined;
  /** Records that are sealed each time before the work begins. */
  readonly seal?: readonly Resource[] | undefined;
}

/** The parts of an election, however its leaders give signs of life. */
export interface ElectionParts {
  readonly name: string;
  readonly seat: Seat;
  readonly record: ElectionAccess;
  /** Begins to watch leaders for signs of life. */
  readonly watch: () => PatienceWith;
  readonly times: Times;
  readonly environment: Environment;
}

const DEFAULT_DRAIN = '5s';

/** One candidate in an election: see {@link Election}. */
export class Candidacy<Meta = undefined> {
  /** Of the election. */
  readonly name: string;
  readonly #parts: ElectionParts;
  #leading: { readonly leadership: Leadership<Meta>; readonly tenure: Tenure } | undefined;
  #isLeading = false;

  /** By an election or a group only. */
  constructor(parts: ElectionParts) {
    this.name = parts.name;
    this.#parts = parts;
    parts.seat.onHeir = (heir) => this.#leading?.leadership.ask(handedOver(this.name, heir));
  }

  /** Name of this candidate. */
  get candidate(): string {
    return this.#parts.seat.word.candidate;
  }

  /** Who this candidate is among all that ever were: made anew with each object, so that a restart is somebody else. */
  get incarnation(): string {
    return this.#parts.seat.incarnation;
  }

  /** The leadership of this candidate, if it leads. */
  get leadership(): Leadership<Meta> | undefined {
    return this.#leading?.leadership.valid() ? this.#leading.leadership : undefined;
  }

  /**
   * Leads whenever it can, and runs the work each time: waits to be elected, runs it, and again when the leadership was lost or
   * handed over. Ends when the work ends by itself, and resolves to what it returned; or when the signal fires, and resolves
   * to `undefined` if the work had no result by then. At no time are two works of one call under way.
   *
   * Errors: those of the work, for which the leadership is given back; `election.drainExceeded`.
   *
   * @example
   * ```ts
   * await election.lead(async ({ token, signal }) => {
   *   for await (const job of queue.jobs({ signal })) {
   *     await db.repo(Job).mutate(job.id, (j) => { j.state = 'run' }, { fence: token, signal });
   *   }
   * }, { signal: shutdown, drain: '5s' });
   * ```
   */
  async lead<T>(
    work: (leadership: Leadership<Meta>) => T | Promise<T>,
    { signal, drain: given = DEFAULT_DRAIN, seal = [] }: LeadOptions = {},
  ): Promise<T | undefined> {
    const drain = milliseconds(given, 'drain');
    this.#enter();
    try {
      while (!signal?.aborted) {
        const tenure = await campaign(this.#parts.seat, this.#parts.times, this.#parts.environment, signal).catch(
          (error: unknown) => {
            if (signal?.aborted) return undefined;
            throw error;
          },
        );
        if (tenure === undefined) return undefined;
        const served = await this.#serve(tenure, drain, signal, async (leadership) => {
          for (const resource of seal) await resource.seal(leadership as Leadership<unknown>);
          return work(leadership);
        });
        if (served.kind === 'done' || signal?.aborted) return served.value;
      }
      return undefined;
    } finally {
      this.#isLeading = false;
    }
  }

  /**
   * Waits until it leads. The leadership is renewed in the background until it is released; it does not keep the process
   * alive. Errors: `aborted`, and those of the store that waiting does not cure.
   */
  async acquire({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<Leadership<Meta>> {
    const { seat, times, environment } = this.#parts;
    return this.#keep(await campaign(seat, times, environment, signal));
  }

  /**
   * One try: `undefined` if somebody leads, this candidate included. A leader that died is replaced by whoever has watched it
   * for long enough: try again with the same object.
   */
  async tryAcquire({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<Leadership<Meta> | undefined> {
    const tenure = await this.#parts.seat.tryAcquire(signal);
    return tenure && this.#keep(tenure);
  }

  /** Who leads by what the store says now; it may have died since. `undefined`: nobody. */
  async leader({ signal }: { signal?: AbortSignal | undefined } = {}): Promise<Leader<Meta> | undefined> {
    const record = await this.#parts.record.read(signal);
    return record && leaderOf<Meta>(record);
  }

  /**
   * Who leads, now and whenever that changes. A leader that was silent for its ttl, while this was watching, is none. Ends with
   * `aborted` when the signal fires; failures of the store are waited out.
   *
   * @example
   * ```ts
   * for await (const { leader } of election.observe({ signal })) console.log(leader?.candidate, leader?.meta);
   * ```
   */
  observe({ signal }: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<ElectionState<Meta>, void> {
    const { record, watch, times, environment } = this.#parts;
    return observing<Meta>(record, watch(), times.pollEvery, environment, signal);
  }

  /**
   * Asks the leader, whichever process it is, to hand over to a candidate of this name. Resolves once somebody else leads, to
   * whether it is that one: a candidate that is not there is waited for as long as for a leader that died. Not to be awaited by
   * the work of the leader, which has to end first. Errors: `election.notLeader`, `aborted`.
   */
  async transfer(to: string, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<boolean> {
    const { isNamed, token } = await nameHeir(this.#parts.record, this.name, to, signal);
    if (!isNamed) return true;
    if (this.leadership !== undefined) this.#leading?.leadership.ask(handedOver(this.name, to));
    const { times, environment } = this.#parts;
    return isSucceededBy(to, token, this.#parts.record, {
      pollEvery: times.pollEvery,
      clock: environment.clock,
      signal,
    });
  }

  /**
   * Does a work for an instant once, whoever of all candidates comes first: the others, also later, get `ran: false`. One that
   * dies or fails at it is replaced, so that the work runs at least once, and is done exactly once: write what it does with its
   * `token` as the fence. Instants that lie before the newest that is done are done. For elections that do nothing else.
   *
   * Errors: those of the work, `aborted`, `election.drainExceeded`.
   *
   * @example
   * ```ts
   * await nightly.once(midnight, async ({ token, signal }) => report(midnight, { fence: token, signal }));
   * ```
   */
  async once<T>(
    at: Date | number,
    work: (leadership: Leadership<Meta>) => T | Promise<T>,
    { signal, drain: given = DEFAULT_DRAIN, seal = [] }: LeadOptions = {},
  ): Promise<OnceResult<T>> {
    const instant = instantOfTick(at);
    const drain = milliseconds(given, 'drain');
    const { record, seat, times, environment } = this.#parts;
    const isDone = async (): Promise<boolean> =>
      ((await record.read(signal))?.done ?? Number.NEGATIVE_INFINITY) >= instant;
    this.#enter();
    try {
      for (;;) {
        const tenure = await campaign(seat, times, environment, signal, isDone);
        if (tenure === undefined) return { ran: false };
        let result: OnceResult<T> = { ran: false };
        const served = await this.#serve(tenure, drain, signal, async (leadership) => {
          // Perhaps since it was looked at.
          if (await isDone()) return;
          for (const resource of seal) await resource.seal(leadership as Leadership<unknown>);
          const value = await work(leadership);
          seat.word.done = instant;
          if (!(await tenure.renew())) throw lost(this.name, tenure.token);
          result = { ran: true, value };
        });
        if (served.kind === 'done' || result.ran) return result;
        throwIfAborted(signal);
      }
    } finally {
      this.#isLeading = false;
    }
  }

  /**
   * Does a work at every multiple of an interval since 1970 by the wall clock, once among all candidates, as `once` does it;
   * instants at which nobody was there are left out. Ends with its signal. Errors: those of the work.
   *
   * @example
   * ```ts
   * await cleaner.every('1h', (at, { token, signal }) => clean(at, { fence: token, signal }), { signal });
   * ```
   */
  async every(
    interval: Duration,
    work: (at: Date, leadership: Leadership<Meta>) => unknown,
    options: LeadOptions = {},
  ): Promise<void> {
    const every = milliseconds(interval, 'interval');
    if (every < 1) refuse('interval', 'The interval of every is at least a millisecond.');
    const { signal } = options;
    for await (const at of ticks(every, this.#parts.environment.clock, signal)) {
      try {
        await this.once(at, (leadership) => work(new Date(at), leadership), options);
      } catch (error) {
        if (!signal?.aborted || !NorimakiError.is(error, 'aborted')) throw error;
      }
    }
  }

  async #serve<T>(
    tenure: Tenure,
    drain: number,
    signal: AbortSignal | undefined,
    work: (leadership: Leadership<Meta>) => Promise<T>,
  ): Promise<Served<T>> {
    const leadership = this.#begin(tenure);
    const ask = (): void => leadership.ask(signal?.reason);
    signal?.addEventListener('abort', ask, { once: true });
    if (signal?.aborted) ask();
    const { environment, times } = this.#parts;
    try {
      return await serve(leadership as Leadership<unknown>, tenure, {
        work: async () => work(leadership),
        clock: environment.clock,
        renewEvery: times.renewEvery,
        drain,
      });
    } finally {
      signal?.removeEventListener('abort', ask);
    }
  }

  #begin(tenure: Tenure): Leadership<Meta> {
    const { word } = this.#parts.seat;
    word.heir = undefined;
    word.done = undefined;
    const leadership = new Leadership<Meta>(this.name, tenure, word);
    this.#leading = { leadership, tenure };
    return leadership;
  }

  #keep(tenure: Tenure): Leadership<Meta> {
    const leadership = this.#begin(tenure);
    void tenure.keep(this.#parts.times.renewEvery, { background: true, signal: tenure.signal });
    return leadership;
  }

  #enter(): void {
    if (this.#isLeading) {
      throw new NorimakiError(
        'argument.invalid',
        `This candidate leads '${this.name}' already, or waits to. Make another Election for another candidate.`,
        { argument: 'work' },
      );
    }
    this.#isLeading = true;
  }
}

function handedOver(name: string, heir: string): NorimakiError<'aborted'> {
  return new NorimakiError('aborted', `The leadership of '${name}' is handed over to '${heir}'.`, { applied: 'no' });
}
