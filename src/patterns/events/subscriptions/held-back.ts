import type { Found } from './work.ts';

/** A stream whose next event has failed, and when it is tried again. */
export interface HeldBack {
  readonly found: Found;
  /** Of the event; `undefined`: the stream could not be read. */
  readonly version: bigint | undefined;
  readonly attempts: number;
  /** On the monotonic clock. */
  readonly due: number;
}

/** Beyond so many the partition waits for one of them: most likely everything fails. */
const MAX_HELD = 1000;

/** The streams of a partition that wait to be tried again, while the others go on. */
export class HeldBackStreams {
  readonly #waiting = new Map<string, HeldBack>();
  /** Those that are tried again now: how often they have failed. */
  readonly #trying = new Map<string, HeldBack>();

  hold(held: HeldBack): void {
    this.#trying.delete(held.found.key);
    this.#waiting.set(held.found.key, held);
  }

  /** Whether it waits. */
  has(key: string): boolean {
    return this.#waiting.has(key);
  }

  /** How often an event of a stream that is tried now has failed. */
  attempts(key: string, version: bigint | undefined): number {
    const held = this.#trying.get(key);
    return held !== undefined && held.version === version ? held.attempts : 0;
  }

  /** What was tried is over, one way or the other. */
  forget(key: string): void {
    this.#trying.delete(key);
  }

  get isFull(): boolean {
    return this.#waiting.size >= MAX_HELD;
  }

  /** When the first is due; `Infinity`: none waits. */
  get firstDue(): number {
    return this.#first()?.due ?? Number.POSITIVE_INFINITY;
  }

  takeDue(now: number): Found | undefined {
    const first = this.#first();
    if (first === undefined || first.due > now) return undefined;
    this.#waiting.delete(first.found.key);
    this.#trying.set(first.found.key, first);
    return first.found;
  }

  #first(): HeldBack | undefined {
    let first: HeldBack | undefined;
    for (const held of this.#waiting.values()) if (first === undefined || held.due < first.due) first = held;
    return first;
  }
}
