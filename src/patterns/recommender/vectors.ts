import type { Clock } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { Shape } from '../../core/model/types.ts';
import { recentlyUsed } from '../../core/recently-used.ts';
import type { VectorRepository } from '../../repositories/index.ts';
import type { ItemIds } from './item-ids.ts';

/** Vectors that a process remembers, and for how long: what they lead to is read and judged anew in any case. */
const REMEMBERED = 4096;
const REMEMBERED_MS = 60_000;
/** Vectors that are read at once. */
const AT_ONCE = 64;

interface Known {
  /** `undefined`: the item has none, or is gone. */
  readonly vector: Float32Array | undefined;
}

/** The vectors of items, for comparing them with each other. A remembered one may be a minute old; no hit is judged by it. */
export class ItemVectors {
  readonly #items: VectorRepository<Shape>;
  readonly #ids: ItemIds;
  readonly #field: string;
  readonly #known: ReturnType<typeof recentlyUsed<Known>>;
  /** For what is made of vectors. */
  readonly aging: { readonly ttl: number; readonly ttlResolution: number; readonly perf: { now(): number } };

  constructor(items: VectorRepository<Shape>, ids: ItemIds, field: string, clock: Clock) {
    this.#items = items;
    this.#ids = ids;
    this.#field = field;
    // To the cache 0 is no time.
    this.aging = { ttl: REMEMBERED_MS, ttlResolution: 0, perf: { now: () => clock.mono() + 1 } };
    this.#known = recentlyUsed(REMEMBERED, this.aging);
  }

  /** The vectors of those items that have one, all of one length: while an embedding is moved to another model they may differ. */
  async of(names: readonly string[], signal: AbortSignal | undefined): Promise<ReadonlyMap<string, Float32Array>> {
    const found = await this.#read(names, signal);
    if (lengthsOf(found).length < 2) return found;
    this.forget();
    const again = await this.#read(names, signal);
    const [length] = lengthsOf(again);
    return new Map([...again].filter(([, vector]) => vector.length === length));
  }

  /** The next call reads anew. */
  forget(): void {
    this.#known.clear();
  }

  async #read(names: readonly string[], signal: AbortSignal | undefined): Promise<Map<string, Float32Array>> {
    const unknown = [...new Set(names)].filter((name) => !this.#known.has(name));
    const read = new Map<string, Known>();
    for (let from = 0; from < unknown.length; from += AT_ONCE) {
      const some = unknown.slice(from, from + AT_ONCE);
      const vectors = await Promise.all(some.map((name) => this.#vectorOf(name, signal)));
      for (const [i, name] of some.entries()) read.set(name, { vector: vectors[i] });
    }
    const found = new Map<string, Float32Array>();
    for (const name of names) {
      const vector = (read.get(name) ?? this.#known.get(name))?.vector;
      if (vector !== undefined) found.set(name, vector);
    }
    for (const [name, known] of read) this.#known.set(name, known);
    return found;
  }

  async #vectorOf(name: string, signal: AbortSignal | undefined): Promise<Float32Array | undefined> {
    try {
      return await this.#items.vectorOf(this.#ids.idOf(name), { field: this.#field, signal });
    } catch (error) {
      if (NorimakiError.is(error, 'not.found')) return undefined;
      throw error;
    }
  }
}

/** The commonest first. */
function lengthsOf(vectors: ReadonlyMap<string, Float32Array>): number[] {
  const counts = new Map<number, number>();
  for (const { length } of vectors.values()) counts.set(length, (counts.get(length) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).map(([length]) => length);
}
