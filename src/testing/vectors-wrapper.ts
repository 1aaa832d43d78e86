import type { ReadOptions, WriteOptions } from '../core/store.ts';
import type { VectorIndexOptions, VectorListOptions, VectorMatch, Vectors } from '../core/vectors/index.ts';

/** Whose vectors a call of this name goes to. May throw: then the call fails so. */
export type FindVectors = (caller: string) => Vectors;

/** Hands every call on to other vectors; what changes their behaviour overrides what it changes. */
export class VectorsWrapper implements Vectors {
  readonly find: FindVectors;

  constructor(find: FindVectors) {
    this.find = find;
  }

  async createIndex(namespace: string, options: VectorIndexOptions, write?: WriteOptions): Promise<boolean> {
    return this.find('vectors.createIndex()').createIndex(namespace, options, write);
  }

  async dropIndex(namespace: string, write?: WriteOptions): Promise<boolean> {
    return this.find('vectors.dropIndex()').dropIndex(namespace, write);
  }

  async insert(namespace: string, id: string, vector: Float32Array, write?: WriteOptions): Promise<void> {
    return this.find('vectors.insert()').insert(namespace, id, vector, write);
  }

  async delete(namespace: string, id: string, write?: WriteOptions): Promise<boolean> {
    return this.find('vectors.delete()').delete(namespace, id, write);
  }

  async get(namespace: string, id: string, options?: ReadOptions): Promise<Float32Array | undefined> {
    return this.find('vectors.get()').get(namespace, id, options);
  }

  async getMany(
    namespace: string,
    ids: readonly string[],
    options?: ReadOptions,
  ): Promise<(Float32Array | undefined)[]> {
    return this.find('vectors.getMany()').getMany(namespace, ids, options);
  }

  async search(namespace: string, query: Float32Array, k: number, options?: ReadOptions): Promise<VectorMatch[]> {
    return this.find('vectors.search()').search(namespace, query, k, options);
  }

  async list(namespace: string, options?: VectorListOptions): Promise<string[]> {
    return this.find('vectors.list()').list(namespace, options);
  }
}
