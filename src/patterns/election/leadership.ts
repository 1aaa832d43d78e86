import { setMaxListeners } from 'node:events';
import { lost } from './errors.ts';
import type { Tenure, Word } from './seat.ts';

/** The part of a repository that a fence is raised through: any repository's `mutate`. */
export interface Fenceable<Id, Input> {
  mutate(
    id: Id,
    fn: () => void,
    options: { fence: bigint; ifAbsent?: Input | undefined; signal?: AbortSignal | undefined },
  ): Promise<unknown>;
}

/** Options of {@link Leadership.seal}. */
export interface SealOptions<Input> {
  /** Stores the record if it is not there; without it, `not.found`. */
  readonly ifAbsent?: Input | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * One time of leading. What is done in its name carries its `token` as the `fence` of a `mutate`, so that the record
 * refuses what an earlier leader still does.
 */
export class Leadership<Meta = undefined> implements AsyncDisposable {
  /** Higher than that of every leader before, for ever. */
  readonly token: bigint;
  /** Name of the election. */
  readonly election: string;
  readonly #tenure: Tenure;
  readonly #word: Word;
  readonly #controller = new AbortController();

  /** By an election only. */
  constructor(election: string, tenure: Tenure, word: Word) {
    this.token = tenure.token;
    this.election = election;
    this.#tenure = tenure;
    this.#word = word;
    setMaxListeners(0, this.signal);
    const stop = (): void => this.#controller.abort(tenure.signal.reason);
    if (tenure.signal.aborted) stop();
    else tenure.signal.addEventListener('abort', stop, { once: true });
  }

  /**
   * Fires when the work shall end: the leadership is lost (`reason` is `election.lost`), or is to be handed over, in which
   * case it stays valid until the work has ended.
   */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * Whether nobody else leads at this instant, by both clocks of this process. What is done after it was asked can come too
   * late all the same, if the process is held up in between: only the fence helps then.
   */
  valid(): boolean {
    return this.#tenure.valid();
  }

  /**
   * Raises the fence of a record to this leader's token, before anything is read from it or done elsewhere because of it: a
   * record that this leader has not written yet still takes the writes of an earlier one. Errors: `election.lost`,
   * `fence.stale`, `not.found` and those of `mutate`.
   */
  async seal<Id, Input>(repository: Fenceable<Id, Input>, id: Id, options: SealOptions<Input> = {}): Promise<void> {
    if (!this.valid()) throw lost(this.election, this.token);
    const { ifAbsent, signal = this.#tenure.signal } = options;
    await repository.mutate(id, () => {}, { fence: this.token, ifAbsent, signal });
  }

  /** Shows others something new of this leader, at once. Errors: `election.lost` and those of the store. */
  async announce(meta: Meta): Promise<void> {
    // Meta is JSON, or the next write of the record is refused.
    this.#word.meta = meta as Word['meta'];
    if (!(await this.#tenure.renew())) throw lost(this.election, this.token);
  }

  /**
   * Ends it: for leaderships of `acquire` and `tryAcquire`; `lead` does it by itself. Over at once, whatever the store
   * answers; `false` if it was over before. With `to`, a candidate of that name goes first.
   */
  release({ to, signal }: { to?: string | undefined; signal?: AbortSignal | undefined } = {}): Promise<boolean> {
    if (to !== undefined) this.#word.heir = to;
    return this.#tenure.release(signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release().then(() => {});
  }

  /** Asks the work to end, and stays valid meanwhile. By an election only. @internal */
  ask(reason: unknown): void {
    this.#controller.abort(reason);
  }
}
