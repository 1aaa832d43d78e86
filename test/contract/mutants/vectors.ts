import { NorimakiError } from '../../../src/core/errors.ts';
import type { VectorIndexOptions, VectorMatch, Vectors } from '../../../src/core/vectors/index.ts';
import { idle } from '../../../src/testing/idle.ts';
import { StoreWrapper } from '../../../src/testing/store-wrapper.ts';
import { VectorsWrapper } from '../../../src/testing/vectors-wrapper.ts';
import { type Mutant, vectorMutant } from './mutant.ts';

type Call<K extends keyof Vectors> = Parameters<Vectors[K]>;
const nameOf = (namespace: string, id: string): string => JSON.stringify([namespace, id]);

/** Hands out, and measures, what the caller may still change. */
class KeepsTheCallersVector extends VectorsWrapper {
  readonly #inserted = new Map<string, Float32Array>();

  override async insert(...[namespace, id, vector, write]: Call<'insert'>): Promise<void> {
    await super.insert(namespace, id, vector, write);
    this.#inserted.set(nameOf(namespace, id), vector);
  }

  override async get(...[namespace, id, options]: Call<'get'>): Promise<Float32Array | undefined> {
    const found = await super.get(namespace, id, options);
    const kept = this.#inserted.get(nameOf(namespace, id));
    return found && kept ? Float32Array.from(kept) : found;
  }
}

class ReadsOneVector extends VectorsWrapper {
  override async getMany(...[namespace, ids, options]: Call<'getMany'>): Promise<(Float32Array | undefined)[]> {
    const found = await super.getMany(namespace, ids, options);
    const first = new Map(ids.map((id, i) => [id, found[i]]));
    return ids.map((id) => first.get(id));
  }
}

class CopiesLate extends VectorsWrapper {
  override async insert(...call: Call<'insert'>): Promise<void> {
    await idle();
    return super.insert(...call);
  }
}

class Unsorted extends VectorsWrapper {
  override async search(...call: Call<'search'>): Promise<VectorMatch[]> {
    return (await super.search(...call)).toReversed();
  }
}

class IgnoresMetric extends VectorsWrapper {
  readonly #asked = new Map<string, VectorIndexOptions>();

  override async createIndex(...[namespace, options, write]: Call<'createIndex'>): Promise<boolean> {
    const before = this.#asked.get(namespace);
    // Refuses what it must, so that only what it finds is wrong.
    if (before !== undefined && before.metric !== options.metric) return super.createIndex(namespace, options, write);
    this.#asked.set(namespace, options);
    const metric = options.metric === 'innerProduct' ? 'euclidean' : options.metric;
    return super.createIndex(namespace, { ...options, metric }, write);
  }
}

class DeleteDoesNothing extends VectorsWrapper {
  override async delete(...[namespace, id, write]: Call<'delete'>): Promise<boolean> {
    return (await super.get(namespace, id, write)) !== undefined;
  }
}

class DeleteAlwaysTrue extends VectorsWrapper {
  override async delete(...call: Call<'delete'>): Promise<boolean> {
    return (await super.delete(...call)) || true;
  }
}

class DropKeepsVectors extends VectorsWrapper {
  readonly #dropped = new Map<string, Map<string, Float32Array>>();

  override async dropIndex(...[namespace, write]: Call<'dropIndex'>): Promise<boolean> {
    const kept = new Map<string, Float32Array>();
    const ids = await super.list(namespace, { limit: 1000 }).catch(() => []);
    for (const [i, vector] of (await super.getMany(namespace, ids).catch(() => [])).entries()) {
      if (vector !== undefined) kept.set(ids[i] ?? '', vector);
    }
    const dropped = await super.dropIndex(namespace, write);
    if (dropped) this.#dropped.set(namespace, kept);
    return dropped;
  }

  override async createIndex(...[namespace, options, write]: Call<'createIndex'>): Promise<boolean> {
    const made = await super.createIndex(namespace, options, write);
    for (const [id, vector] of this.#dropped.get(namespace) ?? []) {
      if (made && vector.length === options.dimensions) await super.insert(namespace, id, vector);
    }
    return made;
  }
}

/** The old length is what counts, whatever the index was made anew with. */
class CreateTakesOtherOptions extends VectorsWrapper {
  override async createIndex(...call: Call<'createIndex'>): Promise<boolean> {
    try {
      return await super.createIndex(...call);
    } catch (error) {
      if (NorimakiError.is(error, 'argument.invalid') && /exists with metric/.test(error.message)) return false;
      throw error;
    }
  }
}

class TakesNaN extends VectorsWrapper {
  override insert(...[namespace, id, vector, write]: Call<'insert'>): Promise<void> {
    const tamed = vector instanceof Float32Array ? vector.map((number) => (Number.isNaN(number) ? 0 : number)) : vector;
    return super.insert(namespace, id, tamed, write);
  }
}

class ClampsInfinities extends VectorsWrapper {
  override search(...[namespace, query, k, options]: Call<'search'>): Promise<VectorMatch[]> {
    const largest = 3e38;
    const tamed =
      query instanceof Float32Array
        ? query.map((number) => (Math.abs(number) === Number.POSITIVE_INFINITY ? Math.sign(number) * largest : number))
        : query;
    return super.search(namespace, tamed, k, options);
  }
}

class CutsTooLong extends VectorsWrapper {
  readonly #dimensions = new Map<string, number>();

  override createIndex(...[namespace, options, write]: Call<'createIndex'>): Promise<boolean> {
    this.#dimensions.set(namespace, options.dimensions);
    return super.createIndex(namespace, options, write);
  }

  override insert(...[namespace, id, vector, write]: Call<'insert'>): Promise<void> {
    const cut = vector instanceof Float32Array ? vector.subarray(0, this.#dimensions.get(namespace)) : vector;
    return super.insert(namespace, id, cut, write);
  }
}

/** Namespaces end at a zero, as a string of C does. */
class MixesNamespaces extends VectorsWrapper {
  readonly #vectors = new Map<string, Float32Array>();

  override async insert(...[namespace, id, vector, write]: Call<'insert'>): Promise<void> {
    await super.insert(namespace, id, vector, write);
    this.#vectors.set(nameOf(namespace.split('\0')[0] ?? '', id), Float32Array.from(vector));
  }

  override async get(...[namespace, id, options]: Call<'get'>): Promise<Float32Array | undefined> {
    const found = await super.get(namespace, id, options);
    const mixed = this.#vectors.get(nameOf(namespace.split('\0')[0] ?? '', id));
    return found && mixed?.length === found.length ? mixed : found;
  }

  override getMany(...[namespace, ids, options]: Call<'getMany'>): Promise<(Float32Array | undefined)[]> {
    return Promise.all(ids.map((id) => this.get(namespace, id, options)));
  }
}

/** Sorts as JavaScript does, by UTF-16 units. */
class TiesByUtf16 extends VectorsWrapper {
  override async search(...[namespace, query, k, options]: Call<'search'>): Promise<VectorMatch[]> {
    const all = await super.search(namespace, query, k, options);
    return all.toSorted((a, b) => a.distance - b.distance || (a.id < b.id ? -1 : 1));
  }
}

class TiesByArrival extends VectorsWrapper {
  readonly #arrivals: string[] = [];

  override insert(...[namespace, id, vector, write]: Call<'insert'>): Promise<void> {
    this.#arrivals.unshift(id);
    return super.insert(namespace, id, vector, write);
  }

  override async search(...call: Call<'search'>): Promise<VectorMatch[]> {
    const place = (id: string): number => this.#arrivals.indexOf(id);
    return (await super.search(...call)).sort((a, b) => a.distance - b.distance || place(a.id) - place(b.id));
  }
}

class OneTooFew extends VectorsWrapper {
  override search(...[namespace, query, k, options]: Call<'search'>): Promise<VectorMatch[]> {
    return super.search(namespace, query, k === 1 ? k : k - 1, options);
  }
}

class AnyK extends VectorsWrapper {
  override search(...[namespace, query, k, options]: Call<'search'>): Promise<VectorMatch[]> {
    return super.search(namespace, query, Math.min(1000, Math.max(1, Math.floor(k) || 1)), options);
  }
}

/** The index is behind by one write. */
class SearchIsBehind extends VectorsWrapper {
  #last: string | undefined;

  override async insert(...[namespace, id, vector, write]: Call<'insert'>): Promise<void> {
    const isNew = (await super.get(namespace, id, write)) === undefined;
    await super.insert(namespace, id, vector, write);
    this.#last = isNew ? nameOf(namespace, id) : undefined;
  }

  override async search(...call: Call<'search'>): Promise<VectorMatch[]> {
    return (await super.search(...call)).filter(({ id }) => nameOf(call[0], id) !== this.#last);
  }
}

class SearchFindsTheDead extends VectorsWrapper {
  readonly #dead = new Map<string, string[]>();

  override async delete(...[namespace, id, write]: Call<'delete'>): Promise<boolean> {
    const existed = await super.delete(namespace, id, write);
    if (existed) this.#dead.set(namespace, [...(this.#dead.get(namespace) ?? []), id]);
    return existed;
  }

  override async search(...[namespace, query, k, options]: Call<'search'>): Promise<VectorMatch[]> {
    const found = await super.search(namespace, query, k, options);
    const dead = (this.#dead.get(namespace) ?? []).filter((id) => !found.some((match) => match.id === id));
    return [...found, ...dead.map((id) => ({ id, distance: Number.MAX_VALUE }))].slice(0, k);
  }
}

class SkipsAfter extends VectorsWrapper {
  override list(...[namespace, options]: Call<'list'>): Promise<string[]> {
    return super.list(namespace, { ...options, after: undefined });
  }
}

class ListIncludesAfter extends VectorsWrapper {
  override async list(...[namespace, options = {}]: Call<'list'>): Promise<string[]> {
    const { after, limit = 100 } = options;
    const page = await super.list(namespace, options);
    const isThere = after !== undefined && (await super.get(namespace, after)) !== undefined;
    return isThere && page.length < limit ? [after, ...page] : page;
  }
}

class SwallowsErrors extends VectorsWrapper {
  override async insert(...call: Call<'insert'>): Promise<void> {
    await super.insert(...call).catch((error: unknown) => {
      if (!NorimakiError.is(error, 'index.missing')) throw error;
    });
  }
}

class GetManySorted extends VectorsWrapper {
  override getMany(...[namespace, ids, options]: Call<'getMany'>): Promise<(Float32Array | undefined)[]> {
    return super.getMany(namespace, ids.toSorted(), options);
  }
}

class Forgetful extends VectorsWrapper {
  override insert(...[namespace, id, vector, write]: Call<'insert'>): Promise<void> {
    return super.insert(namespace, id, vector, { ...write, idempotencyKey: undefined });
  }
}

/** Mistakes in vectors outside commits. */
export const vectorMutants: Record<string, Mutant> = {
  'a vector is kept without a copy': vectorMutant('vectors', KeepsTheCallersVector, StoreWrapper),
  'a vector is copied too late': vectorMutant('vectors', CopiesLate, StoreWrapper),
  'getMany of vectors hands out one array twice': vectorMutant('vectors', ReadsOneVector),
  'getMany of vectors answers in the order of ids': vectorMutant('vectors', GetManySorted),
  'a search is not sorted': vectorMutant('vector search', Unsorted),
  'an index ignores its metric': vectorMutant('vector search', IgnoresMetric),
  'a delete of a vector does nothing': vectorMutant('vectors', DeleteDoesNothing),
  'a delete of a vector always says true': vectorMutant('vectors', DeleteAlwaysTrue),
  'a dropped index keeps its vectors': vectorMutant('vector indexes', DropKeepsVectors),
  'an index takes another metric later': vectorMutant('vector indexes', CreateTakesOtherOptions),
  'NaN is taken for zero': vectorMutant('vector limits', TakesNaN),
  'an infinite query is cut to the largest number': vectorMutant('vector limits', ClampsInfinities),
  'a vector that is too long is cut': vectorMutant('vector limits', CutsTooLong),
  'any k is taken': vectorMutant('vector limits', AnyK),
  'namespaces with a zero are mixed up': vectorMutant('vector indexes', MixesNamespaces),
  'ties are in the order of UTF-16': vectorMutant('vector search', TiesByUtf16),
  'ties are in the order of arrival': vectorMutant('vector search', TiesByArrival),
  'a search finds one too few': vectorMutant('vector search', OneTooFew),
  'a search is behind by one insert': vectorMutant('vector search', SearchIsBehind),
  'a search finds deleted vectors': vectorMutant('vector search', SearchFindsTheDead),
  'a list of ids skips `after`': vectorMutant('vectors', SkipsAfter),
  'a list of ids repeats `after`': vectorMutant('vectors', ListIncludesAfter),
  'an insert without an index is acknowledged': vectorMutant('vector indexes', SwallowsErrors),
  'a repeated insert is applied twice': vectorMutant('vector idempotency', Forgetful),
};
