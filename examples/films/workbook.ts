import { storeCalls } from 'norimaki';
import { count, printTable, seconds } from './print.ts';

interface Phase {
  readonly name: string;
  readonly ms: number;
  readonly storeCalls: number;
  calls?: { readonly verb: string; readonly number: number; readonly storeCalls: number };
}

/** How long each phase took, and how many calls to the store each call of a repository made. */
export class Workbook {
  readonly #phases: Phase[] = [];
  #storeCalls = 0;

  constructor() {
    // Costs nothing until somebody subscribes, as here.
    storeCalls.start.subscribe(() => {
      this.#storeCalls++;
    });
  }

  async time<T>(name: string, work: () => Promise<T>): Promise<T> {
    const [started, before] = [performance.now(), this.#storeCalls];
    const result = await work();
    this.#phases.push({ name, ms: performance.now() - started, storeCalls: this.#storeCalls - before });
    return result;
  }

  /** What the last phase did; `storeCalls` if it happened in other processes. */
  calls(verb: string, number: number, storeCalls?: number): void {
    const phase = this.#phases.at(-1);
    if (phase !== undefined) phase.calls = { verb, number, storeCalls: storeCalls ?? phase.storeCalls };
  }

  print(): void {
    printTable(
      ['phase', 'time', 'calls', '', 'store calls for each'],
      this.#phases.map(({ name, ms, calls }) => {
        if (calls === undefined) return [name, seconds(ms), '', '', ''];
        return [name, seconds(ms), count(calls.number), calls.verb, (calls.storeCalls / calls.number).toFixed(2)];
      }),
    );
  }
}
