import { NorimakiError } from '../../core/errors.ts';
import type { Shape } from '../../core/model/types.ts';
import { MAX_K } from '../../core/vectors/index.ts';
import type { Repository, SearchOptions, SearchResult, VectorRepository } from '../../repositories/index.ts';
import type { Inside } from '../../repositories/internal.ts';
import { unknownItem } from './errors.ts';
import type { ItemIds } from './item-ids.ts';
import type { Ranked } from './tally.ts';

/** The repository of the items, with its types aside: the class in front of all this has them. */
export type ItemRepository = Repository<Shape> & VectorRepository<Shape>;

/** Which items a call is about. */
export interface Query {
  readonly where: object | undefined;
  readonly filter: ((item: object) => boolean) | undefined;
  /** Tells by its name that an item must not come. */
  readonly isExcluded: (name: string) => boolean;
  readonly signal: AbortSignal | undefined;
}

/** The same, and some items more that must not come. */
export function without(query: Query, isExcluded: (name: string) => boolean): Query {
  return { ...query, isExcluded: (name) => isExcluded(name) || query.isExcluded(name) };
}

/** An item that was read for the call, live and wanted. */
export interface Found {
  readonly name: string;
  readonly item: object;
  readonly score: number;
}

/** Reads items. What it gives was read from its record in that call: nothing that is deleted, expired or not wanted. */
export class Shelf {
  readonly #recommender: string;
  readonly #items: ItemRepository;
  readonly #ids: ItemIds;
  readonly #inside: Inside;
  readonly #field: string;

  constructor(recommender: string, items: ItemRepository, ids: ItemIds, inside: Inside, field: string) {
    this.#recommender = recommender;
    this.#items = items;
    this.#ids = ids;
    this.#inside = inside;
    this.#field = field;
  }

  /** The nearest items to a vector. */
  async near(vector: Float32Array, count: number, query: Query): Promise<Found[]> {
    return this.#found(await this.#items.search(vector, this.#searchOptions(count, query)));
  }

  /** The nearest items to one of them. Errors: `recommend.unknownItem`. */
  async like(name: string, count: number, query: Query): Promise<Found[]> {
    try {
      return this.#found(await this.#items.similarTo(this.#ids.idOf(name), this.#searchOptions(count, query)));
    } catch (error) {
      if (NorimakiError.is(error, 'not.found')) throw this.unknown();
      throw error;
    }
  }

  /** The first of these items that there are, in their order. */
  async take(items: readonly Ranked[], count: number, query: Query): Promise<Found[]> {
    const isWanted = this.#test(query);
    const left = items.filter(({ item }) => !query.isExcluded(item));
    const found: Found[] = [];
    // Most of what was counted is still there.
    const chunk = count + 16;
    for (let from = 0; from < left.length && found.length < count; from += chunk) {
      const some = left.slice(from, from + chunk);
      const read = await this.#items.getMany(
        some.map(({ item }) => this.#ids.idOf(item)),
        { signal: query.signal },
      );
      for (const [i, { item: name, weight }] of some.entries()) {
        const item = read[i];
        if (item !== undefined && isWanted(item)) found.push({ name, item, score: weight });
      }
    }
    return found.slice(0, count);
  }

  /** Errors: `recommend.unknownItem`. */
  async check(name: string, signal: AbortSignal | undefined): Promise<void> {
    if (!(await this.#items.exists(this.#ids.idOf(name), { signal }))) throw this.unknown();
  }

  unknown(): NorimakiError<'recommend.unknownItem'> {
    return unknownItem(this.#recommender, this.#inside.model.name);
  }

  #searchOptions(count: number, { where, filter, isExcluded, signal }: Query): SearchOptions {
    return {
      limit: Math.min(count, MAX_K),
      where,
      filter: (item: object) => !isExcluded(this.#ids.nameOfItem(item)) && filter?.(item) !== false,
      field: this.#field,
      signal,
    };
  }

  #found({ hits }: SearchResult<object>): Found[] {
    return hits.map(({ entity, score }) => ({ name: this.#ids.nameOfItem(entity), item: entity, score }));
  }

  /** The same conditions, for what was not searched for. Errors: `argument.invalid`. */
  #test({ where, filter }: Query): (item: object) => boolean {
    const fits = where && this.#inside.matcher({ ...where });
    return (item) => fits?.(item) !== false && filter?.(item) !== false;
  }
}
