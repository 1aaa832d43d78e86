import type { Key, PutOptions, ReadOptions, Store, Stored } from '../../../src/core/store.ts';
import type { Version } from '../../../src/core/version.ts';
import { idle } from '../../../src/testing/idle.ts';
import { StoreWrapper } from '../../../src/testing/store-wrapper.ts';

/** Which of those that wait goes on; there are `count` of them. */
export type Choose = (count: number) => number;

/** Lets several things happen at once, one step at a time, in an order that is chosen. */
export class Stage {
  readonly #choose: Choose;
  readonly #waiting: (() => void)[] = [];

  constructor(choose: Choose) {
    this.#choose = choose;
  }

  /** A step: resolves when it is chosen. */
  step(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Runs all to their end. */
  async play(actors: readonly (() => Promise<void>)[]): Promise<void> {
    let left = actors.length;
    const failures: unknown[] = [];
    const run = async (actor: () => Promise<void>): Promise<void> => {
      try {
        await this.step();
        await actor();
      } catch (error) {
        failures.push(error);
      }
      left -= 1;
    };
    for (const actor of actors) void run(actor);
    for (let silence = 0; left > 0 || this.#waiting.length > 0; ) {
      await idle();
      await idle();
      if (this.#waiting.length === 0) {
        silence += 1;
        if (silence > 10_000) throw new Error('Nothing happens any more, and it is not over.');
        continue;
      }
      silence = 0;
      const [next] = this.#waiting.splice(this.#choose(this.#waiting.length), 1);
      next?.();
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** A store each of whose calls is a step; an answer to a read may be late, and is another. */
export class SteppedStore extends StoreWrapper {
  readonly #step: () => Promise<void>;

  constructor(inner: Store, step: () => Promise<void>) {
    super(inner);
    this.#step = step;
  }

  override async get(key: Key, options?: ReadOptions): Promise<Stored | undefined> {
    await this.#step();
    const found = await super.get(key, options);
    await this.#step();
    return found;
  }

  override async getMany(keys: readonly Key[], options?: ReadOptions): Promise<(Stored | undefined)[]> {
    await this.#step();
    const found = await super.getMany(keys, options);
    await this.#step();
    return found;
  }

  override async put(key: Key, value: Uint8Array, options?: PutOptions): Promise<Version> {
    await this.#step();
    return super.put(key, value, options);
  }
}

/** Runs `play` in every order there is, at most `max` of them: then a random part. Resolves to how many it ran. */
export async function everyOrder(
  play: (choose: Choose) => Promise<void>,
  { max, float }: { readonly max: number; readonly float: () => number },
): Promise<{ readonly orders: number; readonly isComplete: boolean }> {
  // Depth first: the choices of the last run, and how many there were.
  let path: { choice: number; count: number }[] = [];
  for (let orders = 1; ; orders++) {
    // Orders one after another differ in their last steps alone: most are drawn.
    const isSampled = orders > max / 5;
    let at = 0;
    const choose: Choose = (count) => {
      if (isSampled) return Math.floor(float() * count);
      const known = path[at];
      if (known === undefined) path.push({ choice: 0, count });
      at += 1;
      return known?.choice ?? 0;
    };
    await play(choose);
    if (!isSampled) {
      while (path.length > 0 && (path.at(-1)?.choice ?? 0) + 1 === path.at(-1)?.count) path.pop();
      const last = path.at(-1);
      if (last === undefined) return { orders, isComplete: true };
      path = [...path.slice(0, -1), { ...last, choice: last.choice + 1 }];
    }
    if (orders >= max) return { orders, isComplete: false };
  }
}
