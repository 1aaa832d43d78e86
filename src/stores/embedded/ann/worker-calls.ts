import { Worker } from 'node:worker_threads';
import { NorimakiError } from '../../../core/errors.ts';
import { closedError, fileError } from '../failures.ts';
import { forgetGate, hurry, makeGate, watchGate } from './native-gate.ts';
import type { Answer, CallName, Calls, FailureNote, Message, Request, WorkerData } from './protocol.ts';
import { AnnSpaceLost } from './space-lost.ts';
import { WORKER_SOURCE } from './worker-source.ts';

interface Waiting {
  resolve(value: Calls[CallName]['answer']): void;
  reject(error: Error): void;
}

/** A call before it has a number. */
interface Ask<N extends CallName> {
  readonly name: N;
  readonly space: number;
  readonly ask: Calls[N]['ask'];
}

/** One worker, and the calls that wait for its answers. While any does, the process stays alive. */
export class WorkerCalls {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #exited: Promise<void>;
  readonly #gate = makeGate();
  #ids = 0;
  /** Why no further call is answered. */
  #end: (() => Error) | undefined;

  constructor(usearch: string | undefined) {
    const gate = this.#gate;
    const workerData: WorkerData = { usearch, gate };
    // From its text, because no path to a file of its own would be right in `dist`, under tsx, under vitest and in a
    // bundle alike. It needs nothing of how this process was started.
    this.#worker = new Worker(WORKER_SOURCE, { eval: true, name: 'norimaki-ann', execArgv: [], workerData });
    watchGate(gate);
    this.#worker.unref();
    this.#worker.on('message', (answer: Answer) => this.#settle(answer));
    let cause: unknown;
    this.#worker.on('error', (error) => {
      cause = error;
    });
    this.#exited = new Promise((resolve) => {
      this.#worker.on('exit', () => {
        forgetGate(gate);
        const end = this.#end ?? (() => new AnnSpaceLost(cause));
        this.#end = end;
        for (const { reject } of this.#waiting.values()) reject(end());
        this.#waiting.clear();
        resolve();
      });
    });
  }

  get hasEnded(): boolean {
    return this.#end !== undefined;
  }

  call<N extends CallName>(ask: Ask<N>, transfer: readonly ArrayBufferLike[] = []): Promise<Calls[N]['answer']> {
    return this.numbered(ask, transfer).answer;
  }

  /** A call that can be cancelled by its number. */
  numbered<N extends CallName>(
    ask: Ask<N>,
    transfer: readonly ArrayBufferLike[] = [],
  ): { readonly id: number; readonly answer: Promise<Calls[N]['answer']> } {
    const id = ++this.#ids;
    const answer = new Promise<Calls[CallName]['answer']>((resolve, reject) => {
      if (this.#end !== undefined) throw this.#end();
      // Of one name, as `Ask` makes sure; a union of all names is more than the compiler can follow here.
      this.#post({ ...ask, id } as unknown as Request, transfer);
      this.#waiting.set(id, { resolve, reject });
      this.#worker.ref();
    });
    // The worker answers each call with what belongs to its name.
    return { id, answer: answer as Promise<Calls[N]['answer']> };
  }

  /** Rejects a call now; the worker leaves it out if it has not begun. */
  cancel(id: number, error: Error): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#post({ cancel: id });
    this.#forget(id);
    waiting.reject(error);
  }

  /** Ends the thread; what waits rejects with `store.closed`. */
  async end(): Promise<void> {
    if (this.#end === undefined) {
      this.#end = closedError;
      this.#worker.ref();
      // Not `terminate`: see the gate.
      hurry(this.#gate);
      this.#post({ end: true });
    }
    await this.#exited;
  }

  #post(message: Message, transfer: readonly ArrayBufferLike[] = []): void {
    // Shared memory, which cannot be transferred, was copied before.
    this.#worker.postMessage(message, transfer as ArrayBuffer[]);
  }

  #forget(id: number): void {
    this.#waiting.delete(id);
    // Whoever ends the thread waits for that too.
    if (this.#waiting.size === 0 && this.#end === undefined) this.#worker.unref();
  }

  #settle(answer: Answer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#forget(answer.id);
    if ('failure' in answer) waiting?.reject(errorOf(answer.failure));
    else waiting?.resolve(answer.value);
  }
}

function errorOf({ kind, message, code }: FailureNote): Error {
  if (kind === 'closed') return closedError();
  if (kind === 'missing') {
    return new NorimakiError(
      'capability.missing',
      `A namespace of type hnsw with so many vectors ${message}: run \`npm install usearch@2.25.3\`, ` +
        "or make the namespace with the type 'exact'.",
      { capability: 'usearch', neededBy: 'the embedded store' },
    );
  }
  return fileError(Object.assign(new Error(message), code === undefined ? {} : { code }), 'The thread of the vectors');
}
