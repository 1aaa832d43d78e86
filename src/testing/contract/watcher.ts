import assert from 'node:assert/strict';
import type { Change, Key, KeyRange, Store, Watch, WatchOptions } from '../../core/store.ts';
import { systemClock } from '../../core/system.ts';
import { nextTurn } from '../../core/turn.ts';
import type { Version } from '../../core/version.ts';
import { bytes, watchable } from './assertions.ts';

/** `undefined` where the step does not come in time. */
export async function orTooLate<T>(step: Promise<T>, ms = TOO_LATE_MS): Promise<T | undefined> {
  const over = new AbortController();
  const tooLate = systemClock.sleep(ms, { signal: over.signal }).then(
    () => undefined,
    () => step,
  );
  try {
    return await Promise.race([step, tooLate]);
  } finally {
    over.abort();
  }
}

/** One change, in a form that compares and prints well. */
export type Told =
  | { readonly type: 'put'; readonly name: string; readonly version: Version }
  | { readonly type: 'delete'; readonly name: string };

/** After so many later writes whatever is still missing is lost. */
const TICKS = 8;
/** For each of them to be told. Real time, because a store may be at the other end of a network. */
const TICK_MS = 2_000;
const TOO_LATE_MS = TICKS * TICK_MS;

export function nameOf(key: Key): string {
  return Buffer.from(key).toString('latin1');
}

/** A watch, and all that it told so far. */
export class Watcher implements AsyncDisposable {
  readonly seen: Told[] = [];
  readonly #store: Store;
  readonly #watch: Watch;
  readonly #tick: Key;
  #next: ReturnType<Watch['next']> | undefined;

  constructor(store: Store, watch: Watch, tick: Key) {
    this.#store = store;
    this.#watch = watch;
    this.#tick = tick;
  }

  /** One step of the watch; fails where it would have to be waited for, for ever. */
  async take(): Promise<void> {
    if (!(await this.#take(TOO_LATE_MS))) assert.fail(`nothing was told for ${TOO_LATE_MS / 1000} s`);
  }

  async #take(ms: number): Promise<boolean> {
    this.#next ??= this.#watch.next();
    const step = await orTooLate(this.#next, ms);
    if (step === undefined) return false;
    this.#next = undefined;
    const { done, value } = step;
    assert.ok(!done, 'the watch ended');
    const names = value.map(({ key }) => nameOf(key));
    assert.equal(new Set(names).size, names.length, 'a step tells of a key twice');
    this.seen.push(...value.map(toldOf));
    return true;
  }

  /** Takes until the condition holds; it must hold after a few writes more. */
  async until(condition: () => boolean | Promise<boolean>, failure: string): Promise<void> {
    for (let tick = 0; tick < TICKS; tick++) {
      if (await condition()) return;
      await nextTurn();
      const from = this.seen.length;
      await this.#store.put(this.#tick, bytes(String(tick)));
      const isTold = (): boolean => this.seen.slice(from).some(({ name }) => name === nameOf(this.#tick));
      while (!isTold() && (await this.#take(TICK_MS)));
    }
    assert.ok(await condition(), failure);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch.return();
  }
}

/** Watches a range; `tick` is a key in it that nothing else writes. */
export async function watching(
  store: Store,
  range: KeyRange,
  options: WatchOptions = {},
  tick: Key = bytes('tick'),
): Promise<Watcher> {
  return new Watcher(store, await watchable(store).watch(range, options), tick);
}

function toldOf(change: Change): Told {
  const name = nameOf(change.key);
  return change.type === 'put' ? { type: 'put', name, version: change.version } : { type: 'delete', name };
}
