import { open, rm } from 'node:fs/promises';
import { abortedError, throwIfAborted } from '../../../core/abort.ts';
import { NorimakiError } from '../../../core/errors.ts';
import { fileError } from '../failures.ts';
import { publish } from '../folder.ts';
import { AnnSpaceLost } from './space-lost.ts';
import type { AnnSearchOptions, AnnSnapshot, AnnSpace, AnnStats } from './types.ts';
import type { WorkerCalls } from './worker-calls.ts';

let saves = 0;

/** A space of the worker, as the main thread sees it: it hands arrays over and waits. */
export class RemoteSpace implements AnnSpace {
  readonly #calls: WorkerCalls;
  readonly #space: number;

  constructor(calls: WorkerCalls, space: number) {
    this.#calls = calls;
    this.#space = space;
  }

  add(labels: Float64Array, vectors: Float32Array): Promise<void> {
    const ask = { labels: whole(labels), vectors: whole(vectors) };
    return this.#calls.call({ name: 'add', space: this.#space, ask }, [ask.labels.buffer, ask.vectors.buffer]);
  }

  remove(labels: Float64Array): Promise<void> {
    const ask = { labels: labels.slice() };
    return this.#calls.call({ name: 'remove', space: this.#space, ask }, [ask.labels.buffer]);
  }

  async search(query: Float32Array, k: number, { spare = 0, signal }: AnnSearchOptions = {}): Promise<Float64Array> {
    throwIfAborted(signal);
    const ask = { query: query.slice(), k, spare };
    const { id, answer } = this.#calls.numbered({ name: 'search', space: this.#space, ask }, [ask.query.buffer]);
    if (signal === undefined) return answer;
    const onAbort = (): void => this.#calls.cancel(id, abortedError(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    return answer.finally(() => signal.removeEventListener('abort', onAbort));
  }

  stats(): Promise<AnnStats> {
    return this.#calls.call({ name: 'stats', space: this.#space, ask: {} });
  }

  async save(path: string): Promise<AnnSnapshot> {
    const temporary = `${path}.${process.pid}-${++saves}.tmp`;
    try {
      // usearch keeps the mode of a file that is there.
      await (await open(temporary, 'wx', 0o600)).close();
      const snapshot = await this.#calls.call({ name: 'save', space: this.#space, ask: { path: temporary } });
      await publish(temporary, path);
      return snapshot;
    } catch (error) {
      await rm(temporary, { force: true });
      throw fileError(error, 'Saving the vectors');
    }
  }

  load(path: string, expected: AnnSnapshot): Promise<boolean> {
    return this.#calls.call({ name: 'load', space: this.#space, ask: { path, expected } });
  }

  async close(): Promise<void> {
    try {
      await this.#calls.call({ name: 'close', space: this.#space, ask: {} });
    } catch (error) {
      // What is closed or lost already needs no closing.
      if (!NorimakiError.is(error, 'store.closed') && !(error instanceof AnnSpaceLost)) throw error;
    }
  }
}

/** The array, or a copy if it is only a part of its memory, which others may use. */
function whole<A extends Float64Array | Float32Array>(array: A): A {
  const isWhole = array.buffer instanceof ArrayBuffer && array.byteLength === array.buffer.byteLength;
  // A slice has the type of what it was cut from.
  return isWhole ? array : (array.slice() as A);
}
