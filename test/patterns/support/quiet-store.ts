import type { Key, PutOptions, Store } from '../../../src/core/store.ts';
import { nextTurn } from '../../../src/core/turn.ts';
import { type Version, versionParts } from '../../../src/core/version.ts';
import { StoreWrapper } from '../../../src/testing/store-wrapper.ts';

/** What was written to records of some kind, as JSON. */
export interface Written<T> {
  readonly index: bigint;
  readonly json: T;
  /** The fence that the record has since. */
  readonly fence: bigint | undefined;
}

/** Knows what is under way, so that time can be let stand still meanwhile, and what was written. */
export class QuietStore extends StoreWrapper {
  calls = 0;
  #underWay = 0;
  readonly #writes: Written<unknown>[] = [];

  constructor(inner: Store) {
    super(inner);
  }

  override get(...call: Parameters<Store['get']>): ReturnType<Store['get']> {
    return this.#track(() => super.get(...call));
  }

  override getMany(...call: Parameters<Store['getMany']>): ReturnType<Store['getMany']> {
    return this.#track(() => super.getMany(...call));
  }

  override async put(key: Key, value: Uint8Array, options?: PutOptions): Promise<Version> {
    const { json, fence } = fenceOf(value);
    const version = await this.#track(() => this.inner.put(key, value, options));
    this.#writes.push({ index: versionParts(version).index, json, fence });
    return version;
  }

  /** Resolves once no call is under way, and nothing follows from those that were. */
  async quiet(): Promise<void> {
    for (let turns = 0; turns < 4; turns++) {
      if (this.#underWay > 0) turns = -1;
      await nextTurn();
    }
  }

  /** What records that pass the filter held, one write after the other. */
  history<T>(isOne: (json: T) => boolean): T[] {
    return this.#inOrder()
      .map(({ json }) => json as T)
      .filter(isOne);
  }

  /** The fences of the record with this `id`, one write after the other. */
  fences(id: string): bigint[] {
    return this.#inOrder().flatMap(({ json, fence }) =>
      (json as { id?: string }).id === id && fence !== undefined ? [fence] : [],
    );
  }

  #inOrder(): Written<unknown>[] {
    const once = new Map(this.#writes.map((write) => [write.index, write]));
    return [...once.values()].sort((a, b) => Number(a.index - b.index));
  }

  async #track<T>(call: () => Promise<T>): Promise<T> {
    this.calls++;
    this.#underWay++;
    try {
      return await call();
    } finally {
      this.#underWay--;
    }
  }
}

/** A record as its bytes say. */
function fenceOf(value: Uint8Array): { json: unknown; fence: bigint | undefined } {
  const { json, env } = JSON.parse(Buffer.from(value).toString()) as {
    json: unknown;
    env?: { fence?: string };
  };
  return { json, fence: env?.fence === undefined ? undefined : BigInt(env.fence) };
}
