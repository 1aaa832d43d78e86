import { SingleBar } from 'cli-progress';
import { count } from './print.ts';

/** Shows on stderr how far long work has come. */
export interface Progress {
  /** `note`: what came of it so far. */
  show(step: string, done: number, total: number, note: string): void;
  /** Leaves the line. */
  stop(): void;
}

/** A bar for each step on a terminal; elsewhere a line for each quarter. */
export function progressOn(stream: NodeJS.WriteStream): Progress {
  return stream.isTTY ? new Bars(stream) : new Lines(stream);
}

class Bars implements Progress {
  readonly #stream: NodeJS.WriteStream;
  #current: { readonly step: string; readonly bar: SingleBar } | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  show(step: string, done: number, total: number, note: string): void {
    const bar = this.#barOf(step, total, note);
    bar.setTotal(total);
    bar.update(done, { note });
  }

  stop(): void {
    this.#current?.bar.stop();
    this.#current = undefined;
  }

  #barOf(step: string, total: number, note: string): SingleBar {
    if (this.#current?.step === step) return this.#current.bar;
    this.stop();
    const bar = new SingleBar({
      stream: this.#stream,
      format: `  ${step}  {bar} {percentage}%  {value} of {total}  {note}`,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      barsize: 30,
    });
    bar.start(total, 0, { note });
    this.#current = { step, bar };
    return bar;
  }
}

class Lines implements Progress {
  readonly #stream: NodeJS.WritableStream;
  #step: string | undefined;
  #done = 0;
  #quarters = 0;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
  }

  show(step: string, done: number, total: number, note: string): void {
    // A step that begins anew is told anew.
    if (step !== this.#step || done < this.#done) this.#quarters = 0;
    this.#step = step;
    this.#done = done;
    const reached = total === 0 ? 4 : Math.floor((done * 4) / total);
    if (reached <= this.#quarters) return;
    this.#quarters = reached;
    const percent = String(reached * 25).padStart(3);
    this.#stream.write(`  ${step}  ${percent}%  ${count(done)} of ${count(total)}  ${note}\n`);
  }

  stop(): void {}
}
