import type { Random } from '../../core/clock.ts';
import type { ReadOptions, WriteOptions } from '../../core/store.ts';
import type {
  VectorIndexOptions,
  VectorListOptions,
  VectorMatch,
  Vectors,
  VectorWrite,
} from '../../core/vectors/index.ts';
import { pickInt } from '../seeded-random.ts';
import { type Attempt, mayBeStale } from './attempt.ts';
import type { Delivery } from './delivery.ts';
import type { FaultCall, VectorName } from './fault.ts';
import { PastAnswers } from './past-answers.ts';
import { createIndexDelivery, deleteVectorDelivery, dropIndexDelivery, insertDelivery } from './vector-delivery.ts';

/** What a fault store lends its vectors. */
export interface VectorFaults {
  readonly random: Random;
  /** The vectors behind the faults; throws if the store has none. */
  inner(): Vectors;
  attempt<T>(attempt: Attempt<T>): Promise<T>;
}

interface Reading<T> {
  readonly hasPast: boolean;
  perform(vectors: Vectors): Promise<T>;
  stale(fresh: T): T;
}

/** The vectors of a fault store. */
export class FaultyVectors implements Vectors {
  readonly #faults: VectorFaults;
  readonly #pastVectors = new PastAnswers<Float32Array | undefined>();
  readonly #pastSearches = new PastAnswers<VectorMatch[]>();
  readonly #pastLists = new PastAnswers<string[]>();

  constructor(faults: VectorFaults) {
    this.#faults = faults;
  }

  async createIndex(namespace: string, options: VectorIndexOptions, write: WriteOptions = {}): Promise<boolean> {
    const delivery = createIndexDelivery(namespace, options, write);
    return this.#write('createIndex', { namespace }, delivery, write, (vectors) =>
      vectors.createIndex(namespace, options, write),
    );
  }

  async dropIndex(namespace: string, write: WriteOptions = {}): Promise<boolean> {
    const delivery = dropIndexDelivery(namespace, write);
    return this.#write('dropIndex', { namespace }, delivery, write, (vectors) => vectors.dropIndex(namespace, write));
  }

  async insert(namespace: string, id: string, vector: Float32Array, write: WriteOptions = {}): Promise<void> {
    const delivery = insertDelivery(namespace, id, vector, write);
    return this.#write('insertVector', { namespace, id }, delivery, write, (vectors) =>
      vectors.insert(namespace, id, vector, write),
    );
  }

  async delete(namespace: string, id: string, write: WriteOptions = {}): Promise<boolean> {
    const delivery = deleteVectorDelivery(namespace, id, write);
    return this.#write('deleteVector', { namespace, id }, delivery, write, (vectors) =>
      vectors.delete(namespace, id, write),
    );
  }

  async get(namespace: string, id: string, options: ReadOptions = {}): Promise<Float32Array | undefined> {
    const question = nameOf(namespace, id);
    return this.#read('getVector', [{ namespace, id }], options, {
      hasPast: this.#pastVectors.before(question).length > 0,
      perform: async (vectors) => {
        const answer = await vectors.get(namespace, id, options);
        this.#pastVectors.see(question, answer);
        return answer;
      },
      stale: (fresh) => this.#pick(this.#pastVectors.before(question), fresh),
    });
  }

  async getMany(
    namespace: string,
    ids: readonly string[],
    options: ReadOptions = {},
  ): Promise<(Float32Array | undefined)[]> {
    const asked = [...ids];
    const names = asked.map((id) => ({ namespace, id }));
    return this.#read('getVectors', names, options, {
      hasPast: asked.some((id) => this.#pastVectors.before(nameOf(namespace, id)).length > 0),
      perform: async (vectors) => {
        const answers = await vectors.getMany(namespace, asked, options);
        for (const [i, id] of asked.entries()) this.#pastVectors.see(nameOf(namespace, id), answers[i]);
        return answers;
      },
      stale: (fresh) => asked.map((id, i) => this.#pick(this.#pastVectors.before(nameOf(namespace, id)), fresh[i])),
    });
  }

  async search(namespace: string, query: Float32Array, k: number, options: ReadOptions = {}): Promise<VectorMatch[]> {
    const question = nameOf(namespace, k, ...Array.from(query, String));
    return this.#read('search', [{ namespace }], options, {
      hasPast: this.#pastSearches.has(question),
      perform: async (vectors) => {
        const answer = await vectors.search(namespace, query, k, options);
        this.#pastSearches.see(question, answer);
        return answer;
      },
      stale: (fresh) => this.#pick(this.#pastSearches.before(question), fresh),
    });
  }

  async list(namespace: string, options: VectorListOptions = {}): Promise<string[]> {
    const question = nameOf(namespace, options.limit ?? null, options.after ?? null);
    return this.#read('listVectors', [{ namespace }], options, {
      hasPast: this.#pastLists.has(question),
      perform: async (vectors) => {
        const answer = await vectors.list(namespace, options);
        this.#pastLists.see(question, answer);
        return answer;
      },
      stale: (fresh) => this.#pick(this.#pastLists.before(question), fresh),
    });
  }

  /** Remembers vectors that were written, here or by a commit. */
  seeApplied(writes: readonly VectorWrite[]): void {
    for (const write of writes) {
      this.#pastVectors.see(nameOf(write.namespace, write.id), write.type === 'insert' ? write.vector : undefined);
    }
  }

  #write<T>(
    verb: FaultCall['verb'],
    name: VectorName,
    delivery: Delivery,
    { signal }: WriteOptions,
    send: (vectors: Vectors) => Promise<T>,
  ): Promise<T> {
    const perform = async (): Promise<T> => {
      const answer = await send(this.#faults.inner());
      this.seeApplied(delivery.vectors);
      return answer;
    };
    return this.#faults.attempt({ verb, keys: [], vectors: [name], signal, delivery, perform });
  }

  #read<T>(
    verb: FaultCall['verb'],
    vectors: readonly VectorName[],
    options: ReadOptions,
    { hasPast, perform, stale }: Reading<T>,
  ): Promise<T> {
    return this.#faults.attempt({
      verb,
      keys: [],
      vectors,
      signal: options.signal,
      perform: async () => perform(this.#faults.inner()),
      ...(hasPast && mayBeStale(options) ? { stale } : {}),
    });
  }

  #pick<T>(past: readonly T[], fresh: T): T {
    return past.length === 0 ? fresh : (past[pickInt(this.#faults.random, past.length)] as T);
  }
}

/** The name of a question: the same for the same, and for nothing else. */
function nameOf(...parts: readonly (string | number | null)[]): string {
  return JSON.stringify(parts);
}
