import { createRequire } from 'node:module';
import { checkIndexOptions } from '../../../core/vectors/index.ts';
import { closedError } from '../failures.ts';
import type { Calls } from './protocol.ts';
import { RemoteSpace } from './remote-space.ts';
import type { AnnSpace, AnnSpaceOptions, AnnThread } from './types.ts';
import { WorkerCalls } from './worker-calls.ts';

/**
 * A thread that holds vectors in memory and searches them; it starts with the first space and keeps no process alive
 * unless somebody waits for it. If it dies, its spaces reject with {@link AnnSpaceLost}, and the next space starts another.
 * `findUsearch` gives the path of the optional peer dependency, or throws.
 */
export function startAnn(findUsearch: () => string = resolveUsearch): AnnThread {
  return new Thread(findUsearch);
}

function resolveUsearch(): string {
  return createRequire(import.meta.url).resolve('usearch');
}

class Thread implements AnnThread {
  readonly #findUsearch: () => string;
  #calls: WorkerCalls | undefined;
  #spaces = 0;
  #isClosed = false;

  constructor(findUsearch: () => string) {
    this.#findUsearch = findUsearch;
  }

  async space(options: AnnSpaceOptions): Promise<AnnSpace> {
    checkIndexOptions(options);
    if (this.#isClosed) throw closedError();
    if (this.#calls?.hasEnded !== false) this.#calls = new WorkerCalls(this.#usearch());
    const calls = this.#calls;
    const space = ++this.#spaces;
    const { dimensions, metric, type } = options;
    const ask: Calls['open']['ask'] = { options: { dimensions, metric, type } };
    await calls.call({ name: 'open', space, ask });
    return new RemoteSpace(calls, space);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#calls?.end();
  }

  #usearch(): string | undefined {
    try {
      return this.#findUsearch();
    } catch {
      // Small spaces and exact ones do without; the worker says so when one cannot.
      return undefined;
    }
  }
}
