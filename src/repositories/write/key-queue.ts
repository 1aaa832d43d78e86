import type { Clock } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import { keyName } from '../../core/keys/index.ts';
import { listOf } from '../../core/list-of.ts';
import type { IdPart } from '../../core/model/model.ts';
import { fullJitter } from '../../core/retry/index.ts';
import type { Consistency, Key } from '../../core/store.ts';
import type { RepositoryContext } from '../context.ts';
import { describeRecord } from '../snapshot.ts';
import { LastStates } from './last-states.ts';
import { Member, type MemberHost, type WriteCallOptions } from './member.ts';
import type { Operation, RecordState } from './operation.ts';
import { abandon, type LostRound, OneByOne, runRound } from './round.ts';
import { Round } from './start.ts';
import { WriteListeners } from './write-listeners.ts';

/** Operations that one compare-and-swap carries at most. */
const MAX_BATCH = 1000;

/** One queue for each key that is being written in this process. */
export class KeyQueues {
  /** What the writes of this process left. */
  readonly states: LastStates;
  readonly listeners = new WriteListeners();
  readonly #queues = new Map<string, KeyQueue>();

  /** `stateBytes`: see `LastStates`. */
  constructor(stateBytes: number) {
    this.states = new LastStates(stateBytes);
  }

  /** Runs an operation: alone, or in one compare-and-swap with others that wait on the same key. */
  run<R>(
    context: RepositoryContext,
    id: readonly IdPart[],
    key: Key,
    operation: Operation<R>,
    options: WriteCallOptions & { consistency?: Consistency | undefined },
  ): Promise<R> {
    const name = keyName(key);
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = new KeyQueue(context, id, key, name, this.#queues);
      this.#queues.set(name, queue);
    }
    return queue.add(operation, options);
  }
}

class KeyQueue implements MemberHost {
  readonly clock: Clock;
  readonly id: readonly IdPart[];
  readonly key: Key;
  readonly name: string;
  readonly #context: RepositoryContext;
  readonly #queues: Map<string, KeyQueue>;
  #waiting = listOf<Member>();
  #members: readonly Member[] = [];
  #wake: AbortController | undefined;
  #isDraining = false;
  /** Writes to this key that the function under way has begun, up to its first `await`. */
  #addedByFn: readonly Member[] | undefined;
  #isApplying = false;

  constructor(
    context: RepositoryContext,
    id: readonly IdPart[],
    key: Key,
    name: string,
    queues: Map<string, KeyQueue>,
  ) {
    this.clock = context.environment.clock;
    this.#context = context;
    this.id = id;
    this.key = key;
    this.name = name;
    this.#queues = queues;
  }

  add<R>(operation: Operation<R>, options: WriteCallOptions & { consistency?: Consistency | undefined }): Promise<R> {
    const member = new Member(operation, options, this);
    // The queue settles members without looking at what they resolve to.
    this.#waiting.push(member as Member);
    if (this.#isApplying) this.#addedByFn = [...(this.#addedByFn ?? []), member as Member];
    if (!this.#isDraining) void this.#drain();
    return member.promise;
  }

  /** A function that writes to its own record and then waits would wait for ever: what it began is refused. */
  apply(operation: Operation, state: RecordState): RecordState | Promise<RecordState> {
    this.#isApplying = true;
    try {
      const after = operation.apply(state);
      if (after instanceof Promise) for (const member of this.#addedByFn ?? []) member.reject(this.#selfWait());
      return after;
    } finally {
      this.#isApplying = false;
      this.#addedByFn = undefined;
    }
  }

  #selfWait(): NorimakiError<'argument.invalid'> {
    const record = describeRecord(this.#context.model, this.id);
    const message = `An async function given to mutate wrote to the record that it is changing (${record}); it would wait for itself. Change the draft instead.`;
    return new NorimakiError('argument.invalid', message, { argument: 'fn' });
  }

  /** A wait goes on only while somebody waits. */
  onMemberAborted(): void {
    if ([...this.#members, ...this.#waiting].every((member) => member.isSettled)) this.#wake?.abort();
  }

  /** Fires when all have given up; nobody can where one cannot. */
  #signal(): AbortSignal | undefined {
    this.#wake = this.#members.every(({ signal }) => signal !== undefined) ? new AbortController() : undefined;
    return this.#wake?.signal;
  }

  async #drain(): Promise<void> {
    this.#isDraining = true;
    while (this.#waiting.length > 0) {
      try {
        await this.#commitBatch(true);
      } catch (error) {
        if (error instanceof OneByOne) await this.#commitOneByOne();
        else for (const member of this.#members) member.reject(error);
      }
      this.#members = [];
    }
    this.#isDraining = false;
    this.#queues.delete(this.name);
  }

  /** Those that wait join the batch at each try. */
  #takeWaiting(): void {
    const waiting = this.#waiting;
    if (this.#members.length === 0 && waiting.length <= MAX_BATCH) {
      this.#members = waiting;
      this.#waiting = listOf<Member>();
    } else {
      this.#members = [...this.#members, ...waiting.splice(0, MAX_BATCH - this.#members.length)];
    }
  }

  /** Somebody's text cannot be embedded, or is too much, and must not sink the others. */
  async #commitOneByOne(): Promise<void> {
    for (const member of this.#members) {
      this.#members = [member];
      try {
        await this.#commitBatch(false);
      } catch (error) {
        member.reject(error);
      }
    }
  }

  async #commitBatch(isOpen: boolean): Promise<void> {
    const { environment } = this.#context;
    let lost: LostRound | undefined;
    for (let attempt = 1; ; ) {
      if (isOpen) this.#takeWaiting();
      if (this.#members.some(isSettled)) this.#members = this.#members.filter((member) => !isSettled(member));
      const [first] = this.#members;
      if (first === undefined) {
        abandon(lost?.refused);
        return;
      }
      const signal = this.#signal();
      lost = await runRound(this.#context, new Round(this, this.#members, signal), lost);
      if (lost === undefined) return;
      // It met nobody; it only did not know what was there.
      if (lost.wasGuess) continue;
      const wait = fullJitter(attempt++, first.policy, environment.random);
      await environment.clock.sleep(wait, { signal }).catch(() => {});
    }
  }
}

function isSettled(member: Member): boolean {
  return member.isSettled;
}
