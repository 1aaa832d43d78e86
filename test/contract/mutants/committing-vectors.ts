import { NorimakiError } from '../../../src/core/errors.ts';
import type { CommitOperation, CommitOptions, Store } from '../../../src/core/store.ts';
import type { VectorWrite } from '../../../src/core/vectors/index.ts';
import type { Version } from '../../../src/core/version.ts';
import { StoreWrapper } from '../../../src/testing/store-wrapper.ts';
import { openPersistent, reopenPersistent } from '../persistent-memory.ts';
import { type Mutant, mutant } from './mutant.ts';

type CommitCall = [operations: readonly CommitOperation[], options?: CommitOptions];

abstract class AppliesVectorsItself extends StoreWrapper {
  async applyVectors(writes: readonly VectorWrite[] = []): Promise<void> {
    for (const write of writes) {
      if (write.type === 'insert') await this.vectors.insert(write.namespace, write.id, write.vector);
      else await this.vectors.delete(write.namespace, write.id);
    }
  }
}

class VectorsFirst extends AppliesVectorsItself {
  override async commit(...[operations, options]: CommitCall): Promise<Version> {
    // Checks the vectors as it should, with a commit that only looks.
    const looks = operations.map(({ key }): CommitOperation => ({ type: 'check', key }));
    if (options?.idempotencyKey === undefined) await super.commit(looks, { signal: options?.signal });
    if (options?.vectors?.length && options.idempotencyKey === undefined && !options.signal?.aborted) {
      await this.applyVectors(options.vectors);
    }
    return super.commit(operations, options);
  }
}

class RecordsFirst extends AppliesVectorsItself {
  override async commit(...[operations, options = {}]: CommitCall): Promise<Version> {
    const version = await super.commit(operations, { ...options, vectors: undefined });
    await this.applyVectors(options.vectors);
    return version;
  }
}

class ForgetsVectors extends StoreWrapper {
  override commit(...[operations, options]: CommitCall): Promise<Version> {
    return super.commit(operations, { ...options, vectors: undefined });
  }
}

class ForgetsVectorDeletes extends StoreWrapper {
  override commit(...[operations, options]: CommitCall): Promise<Version> {
    return super.commit(operations, { ...options, vectors: options?.vectors?.filter(({ type }) => type === 'insert') });
  }
}

class LastOfTwiceWins extends StoreWrapper {
  override commit(...[operations, options]: CommitCall): Promise<Version> {
    const byName = new Map(options?.vectors?.map((write) => [JSON.stringify([write.namespace, write.id]), write]));
    return super.commit(operations, { ...options, vectors: [...byName.values()] });
  }
}

class LeavesOutMissingIndexes extends StoreWrapper {
  override async commit(...[operations, options]: CommitCall): Promise<Version> {
    try {
      return await super.commit(operations, options);
    } catch (error) {
      if (!NorimakiError.is(error, 'index.missing')) throw error;
      const { namespace } = error.details;
      const vectors = options?.vectors?.filter((write) => write.namespace !== namespace);
      return super.commit(operations, { ...options, vectors });
    }
  }
}

class RepeatsVectors extends AppliesVectorsItself {
  override async commit(...[operations, options]: CommitCall): Promise<Version> {
    const version = await super.commit(operations, options);
    if (options?.idempotencyKey !== undefined) await this.applyVectors(options.vectors);
    return version;
  }
}

/** Reopened, it has the namespaces and has lost what was in them, as an index that was never written down. */
const vectorsInMemoryOnly: Mutant = {
  group: 'vector indexes',
  open: openPersistent,
  async reopen(closed: Store) {
    const store = await reopenPersistent(closed);
    for (const namespace of ['kept exact', 'kept hnsw']) {
      const ids = await store.vectors.list(namespace, { limit: 1000 }).catch(() => []);
      for (const id of ids) await store.vectors.delete(namespace, id);
    }
    return store;
  },
};

/** Mistakes in writing records and vectors together, and in keeping them. */
export const vectorCommitMutants: Record<string, Mutant> = {
  'a commit writes its vectors before its preconditions': mutant('vectors in a commit', VectorsFirst),
  'a commit writes its records before it looks at its vectors': mutant('vectors in a commit', RecordsFirst),
  'a commit forgets its vectors': mutant('vectors in a commit', ForgetsVectors),
  'a commit forgets its deletes of vectors': mutant('vectors in a commit', ForgetsVectorDeletes),
  'of two writes of one vector in a commit the last wins': mutant('vectors in a commit', LastOfTwiceWins),
  'a commit leaves out vectors that have no index': mutant('vectors in a commit', LeavesOutMissingIndexes),
  'a repeated commit writes its vectors again': mutant('vector idempotency', RepeatsVectors),
  'vectors do not outlast a reopening': vectorsInMemoryOnly,
};
