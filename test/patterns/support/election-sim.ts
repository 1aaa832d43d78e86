import type { Random } from '../../../src/core/clock.ts';
import type { Store } from '../../../src/core/store.ts';
import { NorimakiError, open } from '../../../src/index.ts';
import type { Candidacy, Leadership } from '../../../src/patterns/index.ts';
import {
  type FaultOptions,
  type FaultStore,
  faultStore,
  type ManualClock,
  manualClock,
  SimulatedCrash,
  seededRandom,
} from '../../../src/testing/index.ts';
import { StoreWrapper } from '../../../src/testing/store-wrapper.ts';
import { START } from '../../support/open.ts';
import { Job } from './elections.ts';
import { type ProcessClock, processClock } from './process-clock.ts';
import { QuietStore } from './quiet-store.ts';
import { openStore, type StoreKind } from './stores.ts';

export const TTL = 1000;
export const DRIFT = 0.02;

/** How candidates come to their election: alone, or through a group. */
export type MakeCandidacy = (
  db: Awaited<ReturnType<typeof open>>,
  options: { name: string; candidate: string; ttl: number; maxDriftRate: number; pollEvery: number },
) => Candidacy;

/** One process of a simulation. */
export interface SimProcess {
  readonly name: string;
  readonly clock: ProcessClock;
  readonly faulty: FaultStore;
  readonly candidacy: Candidacy;
  readonly stop: AbortController;
  /** Of its `lead`. */
  readonly done: Promise<unknown>;
  hasSlept: boolean;
  isCrashed: boolean;
}

/** A process that is held up does not send, and does not hear. */
class StalledStore extends StoreWrapper {
  readonly #clock: ProcessClock;

  constructor(inner: Store, clock: ProcessClock) {
    super(inner);
    this.#clock = clock;
  }

  override get(...call: Parameters<Store['get']>): ReturnType<Store['get']> {
    return this.#stalled(() => super.get(...call));
  }

  override getMany(...call: Parameters<Store['getMany']>): ReturnType<Store['getMany']> {
    return this.#stalled(() => super.getMany(...call));
  }

  override put(...call: Parameters<Store['put']>): ReturnType<Store['put']> {
    return this.#stalled(() => super.put(...call));
  }

  async #stalled<T>(call: () => Promise<T>): Promise<T> {
    await this.#clock.running();
    try {
      return await call();
    } finally {
      await this.#clock.running();
    }
  }
}

/** Several processes in one election, on clocks of their own; the true time moves only while no call is under way. */
export class ElectionSim {
  readonly truth: ManualClock = manualClock(START);
  readonly processes: SimProcess[] = [];
  /** Every leadership there was, in the order in which they were heard of. */
  readonly leaderships: { readonly by: SimProcess; readonly leadership: Leadership }[] = [];
  readonly problems: string[] = [];
  /** Writes that came too late. */
  refused = 0;
  readonly quiet: QuietStore;
  readonly #make: MakeCandidacy;
  readonly #random: Random;
  readonly #name: string;
  #seed: number;

  private constructor(store: Store, make: MakeCandidacy, seed: number, name: string) {
    this.quiet = new QuietStore(store);
    this.#make = make;
    this.#random = seededRandom(seed);
    this.#seed = seed * 1000;
    this.#name = name;
  }

  static async open(kind: StoreKind, make: MakeCandidacy, seed: number): Promise<ElectionSim> {
    const store = await openStore(kind, { clock: manualClock(START), random: seededRandom(1) });
    return new ElectionSim(store, make, seed, 'e');
  }

  /** The same store, another election. */
  static on(sim: ElectionSim, make: MakeCandidacy, seed: number): ElectionSim {
    return new ElectionSim(sim.quiet.inner, make, seed, `e${seed}`);
  }

  get name(): string {
    return this.#name;
  }

  /** Starts a process that leads whenever it can, and writes to the job while it does. */
  async start(name: string, faults: Partial<FaultOptions> = {}, drift = this.#anyDrift()): Promise<SimProcess> {
    const clock = processClock(this.truth, drift);
    this.#seed += 10;
    const faulty = faultStore(this.quiet, { random: seededRandom(this.#seed), clock, maxDelay: 60, ...faults });
    const db = await open(new StalledStore(faulty, clock) as Store, { clock, random: seededRandom(this.#seed + 1) });
    const candidacy = this.#make(db, {
      name: this.#name,
      candidate: name,
      ttl: TTL,
      maxDriftRate: DRIFT,
      pollEvery: TTL / 2,
    });
    const stop = new AbortController();
    const jobs = db.repo(Job);
    const write = (fence: bigint) =>
      jobs.mutate(
        this.#name,
        (job) => {
          job.by = [name, String(fence)];
        },
        { fence },
      );
    const work = async (leadership: Leadership): Promise<void> => {
      this.leaderships.push({ by: process, leadership });
      while (!leadership.signal.aborted) {
        try {
          await leadership.seal(jobs, this.#name, { ifAbsent: {} });
          await write(leadership.token);
        } catch (error) {
          if (!(error instanceof NorimakiError)) throw error;
        }
        await clock.sleep(100 + this.#random.float() * 200, { signal: leadership.signal }).catch(() => {});
      }
      // It does not look any more, and writes too late.
      await write(leadership.token).catch((error: unknown) => {
        if (NorimakiError.is(error, 'fence.stale')) this.refused++;
      });
    };
    const done = candidacy.lead(work, { signal: stop.signal, drain: '30s' }).catch((error: unknown) => {
      if (!(error instanceof SimulatedCrash) && !(error instanceof NorimakiError)) throw error;
    });
    const process: SimProcess = { name, clock, faulty, candidacy, stop, done, hasSlept: false, isCrashed: false };
    this.processes.push(process);
    return process;
  }

  #anyDrift(): { rate: number; offset: number } {
    const extremes = [1 - DRIFT, 1, 1 + DRIFT];
    const rate = extremes[Math.floor(this.#random.float() * 3)] as number;
    return { rate, offset: Math.floor((this.#random.float() - 0.5) * 1e9) };
  }

  /** Lets true time pass, and looks after each step whether two lead. */
  async pass(ms: number, step = 40): Promise<void> {
    for (let passed = 0; passed < ms; ) {
      const next = Math.min(ms - passed, 1 + Math.floor(this.#random.float() * step * 2));
      await this.truth.advance(next);
      await this.quiet.quiet();
      passed += next;
      this.look();
    }
  }

  /** What becomes of a write that a leader sent while it led and that arrives now. */
  async writeLate({ token }: Leadership): Promise<string> {
    const db = await open(this.quiet as Store, { clock: this.truth, random: seededRandom(this.#seed++) });
    return db
      .repo(Job)
      .mutate(this.#name, (job) => job.by.push('late').toString(), { fence: token })
      .then(
        () => 'written',
        (error: unknown) => (error instanceof NorimakiError ? error.code : String(error)),
      );
  }

  /** Who believes that it leads. */
  leading(): Leadership[] {
    return this.leaderships.filter(({ leadership }) => leadership.valid()).map(({ leadership }) => leadership);
  }

  look(): void {
    const tokens = this.leading().map(({ token }) => token);
    if (tokens.length > 1) this.problems.push(`${tokens.join(' and ')} lead at ${this.truth.mono()}`);
  }

  /** What a run must have kept. */
  judge(): void {
    const tokens = this.leaderships.map(({ leadership }) => leadership.token);
    if (new Set(tokens).size !== tokens.length) this.problems.push(`a token twice: ${tokens}`);
    this.#judgeWrites('a record took an older fence', this.#fences());
    this.#judgeRecord();
  }

  #judgeWrites(problem: string, values: readonly bigint[]): void {
    for (const [i, value] of values.entries()) {
      const before = values[i - 1];
      if (before !== undefined && value < before) this.problems.push(`${problem}: ${value} after ${before}`);
    }
  }

  /** Fences of the job, as they were stored. */
  #fences(): bigint[] {
    return this.quiet.fences(this.#name);
  }

  /** The record of the election moves only as the rules allow. */
  #judgeRecord(): void {
    interface Stored {
      readonly name?: string;
      readonly holder?: string;
      readonly token?: string;
      readonly beat?: number;
    }
    const states = this.quiet.history<Stored>(({ name, token }) => name === this.#name && token !== undefined);
    for (const [i, now] of states.entries()) {
      const before = states[i - 1] ?? { token: '0' };
      const step = BigInt(now.token ?? 0) - BigInt(before.token ?? 0);
      const isTaken = step === 1n && now.holder !== undefined;
      const isKept = step === 0n && (now.holder === before.holder || now.holder === undefined);
      if (!isTaken && !isKept) this.problems.push(`${JSON.stringify(before)} became ${JSON.stringify(now)}`);
    }
  }

  /** Ends all processes and lets them go. */
  async end(): Promise<void> {
    for (const { stop, faulty } of this.processes) {
      stop.abort();
      await faulty.heal();
    }
    // Nobody hears any more from those that crashed.
    const ends = this.processes.filter(({ isCrashed }) => !isCrashed).map(({ done }) => done);
    let isOver = false;
    void Promise.all(ends).then(() => {
      isOver = true;
    });
    while (!isOver) await this.pass(200, 200);
  }
}
