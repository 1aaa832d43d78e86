import { NorimakiError } from '../../core/errors.ts';
import { keyName } from '../../core/keys/index.ts';
import type { IdPart } from '../../core/model/model.ts';
import { fullJitter } from '../../core/retry/index.ts';
import type { Consistency, Key } from '../../core/store.ts';
import type { RepositoryContext } from '../context.ts';
import { describeRecord } from '../snapshot.ts';
import { Member, type WriteCallOptions } from './member.ts';
import type { Operation, RecordState } from './operation.ts';
import { CannotEmbed, type LostRound, runRound } from './round.ts';

/** Operations that one compare-and-swap carries at most. */
const MAX_BATCH = 1000;

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
    const name = keyName(key);
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
  #wake: AbortController | undefined;
  #isDraining = false;
  /** Writes to this key that the function under way has begun, up to its first `await`. */
  #addedByFn: Member[] | undefined;

  constructor(context: RepositoryContext, id: readonly IdPart[], key: Key, onIdle: () => void) {
    this.#context = context;
    this.#id = id;
    this.#key = key;
    this.#onIdle = onIdle;
  }

  add<R>(operation: Operation<R>, options: WriteCallOptions & { consistency?: Consistency | undefined }): Promise<R> {
    const { clock } = this.#context.environment;
    const member = new Member(this.#guarded(operation), options, clock, () => this.#onMemberAborted());
    // The queue settles members without looking at what they resolve to.
    this.#waiting.push(member as Member);
    this.#addedByFn?.push(member as Member);
    if (!this.#isDraining) void this.#drain();
    return member.promise;
  }

  /** A function that writes to its own record and then waits would wait for ever: what it began is refused. */
  #guarded<R>(operation: Operation<R>): Operation<R> {
    const apply = (state: RecordState): RecordState | Promise<RecordState> => {
      const added: Member[] = [];
      this.#addedByFn = added;
      try {
        const after = operation.apply(state);
        if (after instanceof Promise) for (const member of added) member.reject(this.#selfWait());
        return after;
      } finally {
        this.#addedByFn = undefined;
      }
    };
    return { ...operation, apply };
  }

  #selfWait(): NorimakiError<'argument.invalid'> {
    const record = describeRecord(this.#context.model, this.#id);
    const message = `An async function given to mutate wrote to the record that it is changing (${record}); it would wait for itself. Change the draft instead.`;
    return new NorimakiError('argument.invalid', message, { argument: 'fn' });
  }

  /** A wait goes on only while somebody waits. */
  #onMemberAborted(): void {
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
        await this.#commitBatch(this.#takeWaiting);
      } catch (error) {
        if (error instanceof CannotEmbed) await this.#commitOneByOne();
        else for (const member of this.#members) member.reject(error);
      }
      this.#members = [];
    }
    this.#isDraining = false;
    this.#onIdle();
  }

  /** Those that wait join the batch at each try. */
  readonly #takeWaiting = (members: readonly Member[]): Member[] => [
    ...members,
    ...this.#waiting.splice(0, MAX_BATCH - members.length),
  ];

  /** Somebody's text cannot be embedded, and must not sink the others. */
  async #commitOneByOne(): Promise<void> {
    for (const member of this.#members) {
      this.#members = [member];
      try {
        await this.#commitBatch((members) => [...members]);
      } catch (error) {
        member.reject(error);
      }
    }
  }

  async #commitBatch(gather: (members: readonly Member[]) => Member[]): Promise<void> {
    const { environment } = this.#context;
    let lost: LostRound | undefined;
    for (let attempt = 1; ; attempt++) {
      this.#members = gather(this.#members).filter(({ isSettled }) => !isSettled);
      const [first] = this.#members;
      if (first === undefined) return;
      const signal = this.#signal();
      lost = await runRound(this.#context, { id: this.#id, key: this.#key, members: this.#members, signal, lost });
      if (lost === undefined) return;
      const wait = fullJitter(attempt, first.policy, environment.random);
      await environment.clock.sleep(wait, { signal }).catch(() => {});
    }
  }
}
