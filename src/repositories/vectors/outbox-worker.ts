import { orAborted, throwIfAborted } from '../../core/abort.ts';
import { NorimakiError } from '../../core/errors.ts';
import { keyName } from '../../core/keys/index.ts';
import type { IdPart } from '../../core/model/model.ts';
import { fullJitter } from '../../core/retry/index.ts';
import type { KeyRange } from '../../core/store.ts';
import { nextTurn } from '../../core/turn.ts';
import type { RepositoryContext } from '../context.ts';
import type { Driver } from './outbox-settle.ts';
import { driveIds, sweep, Tally } from './outbox-sweep.ts';

/** Ids that are remembered; beyond them the whole outbox is looked through. */
const MAX_KICKED = 1024;
const SHORT_WAIT_MS = 50;
/** Of `drain`, for what others hold. */
const LONG_WAIT_MS = 1_000;
/** Of a store that fails. */
const FAILURE_POLICY = { maxAttempts: Number.POSITIVE_INFINITY, deadline: 0, base: 500, cap: 30_000 };

/** What a worker asks of those that it belongs to. */
export interface OutboxHost {
  /** Whether workers run by themselves in this process. */
  readonly isRunning: boolean;
  /** The worker for the same outbox that is looked after. */
  activate(worker: OutboxWorker): OutboxWorker;
}

export interface DrainSteps {
  readonly signal?: AbortSignal | undefined;
  /** After each batch: how many have got their vectors since the call, and how many have become dead letters. */
  readonly onBatch?: ((done: number, failed: number) => void) | undefined;
}

/** Works through the outbox of one entity of one tenant: one batch at a time, by itself or for `drain`. */
export class OutboxWorker {
  /** Which outbox it is. */
  readonly name: string;
  readonly #host: OutboxHost;
  readonly #driver: Driver;
  readonly #stopped = new AbortController();
  readonly #kicked = new Map<string, readonly IdPart[]>();
  /** When to look through the outbox, on the monotonic clock. */
  #dueAt = Number.POSITIVE_INFINITY;
  /** Where the last look was cut short. */
  #rest: KeyRange | undefined;
  #running: Promise<void> | undefined;
  /** The last batch that was begun, or waits for its turn. */
  #last: Promise<unknown> = Promise.resolve();
  #nap: AbortController | undefined;

  constructor(
    name: string,
    host: OutboxHost,
    context: Omit<RepositoryContext, 'outbox'>,
    driver: Omit<Driver, 'context'>,
  ) {
    this.name = name;
    this.#host = host;
    this.#driver = { ...driver, context: { ...context, outbox: this } };
  }

  /** Names this worker in the entries that it holds. */
  get owner(): string {
    return this.#driver.owner;
  }

  /** Whether it works by itself. */
  get isRunning(): boolean {
    return this.#host.isRunning && !this.#stopped.signal.aborted;
  }

  get isIdle(): boolean {
    return this.#running === undefined;
  }

  /** A save has put an entry. */
  kick(id: readonly IdPart[]): void {
    if (!this.isRunning) return;
    const worker = this.#host.activate(this);
    if (worker.#kicked.size < MAX_KICKED) worker.#kicked.set(keyName(worker.#driver.context.keys.outbox(id)), id);
    else worker.#due(0);
    worker.#start();
  }

  /** Looks through the whole outbox. */
  look(): void {
    if (!this.isRunning) return;
    this.#due(0);
    this.#start();
  }

  /** Works until nothing waits any more. Errors: `aborted`, `store.closed`, `embedding.mismatch`. */
  async drain({ signal, onBatch }: DrainSteps): Promise<void> {
    const stopped = this.#stopped.signal;
    const either = signal === undefined ? stopped : AbortSignal.any([signal, stopped]);
    const before = new Tally();
    try {
      for (;;) {
        const tally = new Tally();
        const look = this.#inTurn(() =>
          this.#look(either, tally, () => onBatch?.(before.done + tally.done, before.dead + tally.dead)),
        );
        const { isWhole, wait } = await orAborted(look, either);
        before.done += tally.done;
        before.dead += tally.dead;
        if (isWhole && tally.waiting === 0) return;
        if (isWhole && tally.waiting === tally.foreign.length) throw this.#mismatch(tally.foreign[0] ?? '');
        // Another process may be quicker than it has asked for.
        await this.#driver.context.environment.clock.sleep(Math.min(wait, LONG_WAIT_MS), { signal: either });
      }
    } catch (error) {
      if (!stopped.aborted) throw error;
      throw new NorimakiError('store.closed', 'The database was closed while its outbox was drained.', {
        store: 'outbox',
      });
    }
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#nap?.abort();
    await this.#running;
    await this.#last;
  }

  #due(ms: number): void {
    this.#dueAt = Math.min(this.#dueAt, this.#driver.context.environment.clock.mono() + ms);
  }

  #start(): void {
    this.#nap?.abort();
    if (this.#running !== undefined || this.#stopped.signal.aborted) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      // Whoever came while the loop was ending.
      if (this.#kicked.size > 0 || this.#dueAt < Number.POSITIVE_INFINITY) this.#start();
    });
  }

  async #run(): Promise<void> {
    const { clock, random } = this.#driver.context.environment;
    for (let failures = 0; !this.#stopped.signal.aborted; ) {
      try {
        const wait = this.#dueAt - clock.mono();
        if (this.#kicked.size > 0) await this.#driveKicked();
        else if (wait <= 0) await this.#lookThrough();
        else if (wait < Number.POSITIVE_INFINITY) await this.#sleep(wait);
        else return;
        failures = 0;
      } catch (error) {
        // Nobody waits for this work: what failed is told on the tracing channel, and tried again later.
        if (NorimakiError.is(error, 'store.closed')) this.#stopped.abort();
        this.#due(Math.max(SHORT_WAIT_MS, fullJitter(++failures, FAILURE_POLICY, random)));
        if (!this.#stopped.signal.aborted) await this.#sleep(this.#dueAt - clock.mono());
      }
    }
  }

  async #driveKicked(): Promise<void> {
    // Those that are saved in the same turn travel together.
    await nextTurn();
    const ids = [...this.#kicked.values()];
    this.#kicked.clear();
    const tally = new Tally();
    await this.#inTurn(() => driveIds(this.#driver, ids, this.#stopped.signal, tally));
    if (tally.waiting > 0) this.#due(tally.wait);
  }

  async #lookThrough(): Promise<void> {
    this.#dueAt = Number.POSITIVE_INFINITY;
    const tally = new Tally();
    const { isWhole, wait } = await this.#inTurn(() => this.#look(this.#stopped.signal, tally));
    if (!isWhole || tally.waiting > 0) this.#due(wait);
  }

  /** From where the last look was cut short. */
  async #look(
    signal: AbortSignal,
    tally: Tally,
    onBatch?: () => void,
  ): Promise<{ readonly isWhole: boolean; readonly wait: number }> {
    const from = this.#rest;
    this.#rest = undefined;
    this.#rest = await sweep(this.#driver, from, signal, tally, onBatch);
    const isCut = this.#rest !== undefined;
    // What is before where it began was not looked at.
    return { isWhole: from === undefined && !isCut, wait: from === undefined || isCut ? tally.wait : 0 };
  }

  /** One batch at a time, or the same text would be paid for twice. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(() => {
      throwIfAborted(this.#stopped.signal);
      return work();
    });
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #sleep(ms: number): Promise<void> {
    const nap = new AbortController();
    this.#nap = nap;
    // Woken by a save, or by the end.
    await this.#driver.context.environment.clock.sleep(ms, { signal: nap.signal, background: true }).catch(() => {});
    this.#nap = undefined;
  }

  #mismatch(embedding: string): NorimakiError<'embedding.mismatch'> {
    const { name } = this.#driver.context.model;
    const message = `Some vectors of ${name}.${embedding} are still to be made by an embedder, or of a text, that this program does not have. Pass the embedder in open(store, { embedders }), or drain where it is.`;
    return new NorimakiError('embedding.mismatch', message, { entity: name, embedding });
  }
}
