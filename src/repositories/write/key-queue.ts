import { AsyncLocalStorage } from 'node:async_hooks';
import { NorimakiError } from '../../core/errors.ts';
import type { IdPart } from '../../core/model/model.ts';
import { fullJitter } from '../../core/retry/index.ts';
import type { Consistency, Key } from '../../core/store.ts';
import type { RepositoryContext } from '../context.ts';
import { describeRecord } from '../snapshot.ts';
import { nameOfKey } from './derived-keys.ts';
import { Member, type WriteCallOptions } from './member.ts';
import type { Operation, RecordState } from './operation.ts';
import { runRound } from './round.ts';

/** Operations that one compare-and-swap carries at most. */
const MAX_BATCH = 1000;

/** A function of the user's that is running, and the queue that waits for it. */
interface Running {
  readonly queue: KeyQueue;
  readonly outer: Running | undefined;
  isActive: boolean;
}

// Only to tell a function that it waits for itself; never carries state of the user's.
const running = new AsyncLocalStorage<Running>();

/** One queue for each key that is being written in this process. */
export class KeyQueues {
  readonly #queues = new Map<string, KeyQueue>();

  /** Runs an operation: alone, or in one compare-and-swap with others that wait on the same key. */
  run<R>(
    context: RepositoryContext,
    id: readonly IdPart[],
    key: Key,
    operation: Operation<R>,
    options: WriteCallOptions & { consistency?: Consistency | undefined },
  ): Promise<R> {
    const name = nameOfKey(key);
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = new KeyQueue(context, id, key, () => this.#queues.delete(name));
      this.#queues.set(name, queue);
    }
    return queue.add(operation, options);
  }
}

class KeyQueue {
  readonly #context: RepositoryContext;
  readonly #id: readonly IdPart[];
  readonly #key: Key;
  readonly #onIdle: () => void;
  readonly #waiting: Member[] = [];
  #members: Member[] = [];
  #wake = new AbortController();
  #isDraining = false;

  constructor(context: RepositoryContext, id: readonly IdPart[], key: Key, onIdle: () => void) {
    this.#context = context;
    this.#id = id;
    this.#key = key;
    this.#onIdle = onIdle;
  }

  add<R>(operation: Operation<R>, options: WriteCallOptions & { consistency?: Consistency | undefined }): Promise<R> {
    const outer = running.getStore();
    this.#refuseSelfWait(outer);
    const { clock } = this.#context.environment;
    const member = new Member(this.#tracked(operation, outer), options, clock, () => this.#onMemberAborted());
    // The queue settles members without looking at what they resolve to.
    this.#waiting.push(member as Member);
    if (!this.#isDraining) void this.#drain();
    return member.promise;
  }

  #refuseSelfWait(outer: Running | undefined): void {
    for (let call = outer; call !== undefined; call = call.outer) {
      if (call.queue !== this || !call.isActive) continue;
      throw new NorimakiError(
        'argument.invalid',
        `A function given to mutate wrote to the record that it is changing (${describeRecord(this.#context.model, this.#id)}); it would wait for itself. Change the draft instead.`,
        { argument: 'fn' },
      );
    }
  }

  #tracked<R>(operation: Operation<R>, outer: Running | undefined): Operation<R> {
    const apply = (state: RecordState): RecordState | Promise<RecordState> => {
      const call: Running = { queue: this, outer, isActive: true };
      const over = (): void => {
        call.isActive = false;
      };
      let after: RecordState | Promise<RecordState>;
      try {
        after = running.run(call, () => operation.apply(state));
      } catch (error) {
        over();
        throw error;
      }
      if (after instanceof Promise) after.then(over, over);
      else over();
      return after;
    };
    return { ...operation, apply };
  }

  /** A wait goes on only while somebody waits. */
  #onMemberAborted(): void {
    if ([...this.#members, ...this.#waiting].every((member) => member.isSettled)) this.#wake.abort();
  }

  async #drain(): Promise<void> {
    this.#isDraining = true;
    while (this.#waiting.length > 0) {
      try {
        await this.#commitBatch();
      } catch (error) {
        for (const member of this.#members) member.reject(error);
      }
      this.#members = [];
    }
    this.#isDraining = false;
    this.#onIdle();
  }

  async #commitBatch(): Promise<void> {
    const { model, environment } = this.#context;
    for (let attempt = 1; ; attempt++) {
      const room = MAX_BATCH - this.#members.length;
      this.#members = [...this.#members, ...this.#waiting.splice(0, room)].filter((m) => m.isPatient(model.name));
      const [first] = this.#members;
      if (first === undefined) return;
      this.#wake = new AbortController();
      const isSettled = await runRound(this.#context, {
        id: this.#id,
        key: this.#key,
        members: this.#members,
        isFirst: attempt === 1,
        signal: this.#wake.signal,
      });
      if (isSettled) return;
      const wait = fullJitter(attempt, first.policy, environment.random);
      await environment.clock.sleep(wait, { signal: this.#wake.signal }).catch(() => {});
    }
  }
}
