import type { Environment } from '../../../src/core/clock.ts';
import type { CommitOperation, CommitOptions, Key, PutOptions, Store, WriteOptions } from '../../../src/core/store.ts';
import type { Version } from '../../../src/core/version.ts';
import type { ContractInput } from '../../../src/testing/index.ts';
import { StoreWrapper, vectorsOf } from '../../../src/testing/store-wrapper.ts';
import { type FindVectors, VectorsWrapper } from '../../../src/testing/vectors-wrapper.ts';
import { openPersistent, reopenPersistent } from '../persistent-memory.ts';

/** A store with one mistake, and the group of the contract that must notice it. */
export interface Mutant extends Pick<ContractInput, 'open' | 'reopen'> {
  readonly group: string;
}

type Mistaken = new (inner: Store, environment: Environment) => StoreWrapper;

const copyOf = (vector: Float32Array): Float32Array =>
  vector instanceof Float32Array ? Float32Array.from(vector) : vector;

class CopyingVectors extends VectorsWrapper {
  override insert(namespace: string, id: string, vector: Float32Array, write?: WriteOptions): Promise<void> {
    return super.insert(namespace, id, copyOf(vector), write);
  }

  override search(...[namespace, query, k, options]: Parameters<VectorsWrapper['search']>) {
    return super.search(namespace, copyOf(query), k, options);
  }
}

/** Copies what it is given at once, so that a mistake inside that waits has no second one. */
class CopyingStore extends StoreWrapper {
  override readonly vectors = new CopyingVectors((caller) => vectorsOf(this.inner, caller));

  override put(key: Key, value: Uint8Array, options?: PutOptions): Promise<Version> {
    return super.put(Uint8Array.from(key), Uint8Array.from(value), options);
  }

  override commit(operations: readonly CommitOperation[], options?: CommitOptions): Promise<Version> {
    const copies = operations.map((operation): CommitOperation => {
      const key = Uint8Array.from(operation.key);
      return operation.type === 'put'
        ? { ...operation, key, value: Uint8Array.from(operation.value) }
        : { ...operation, key };
    });
    const vectors = options?.vectors?.map((write) =>
      write.type === 'insert' ? { ...write, vector: copyOf(write.vector) } : { ...write },
    );
    return super.commit(copies, { ...options, vectors });
  }
}

/** The mistake in a wrapper around a right store; what the wrapper remembers is forgotten when it is reopened. */
export function mutant(group: string, Wrapper: Mistaken, Outer: Mistaken = CopyingStore): Mutant {
  const around = (inner: Store, environment: Environment): Store =>
    new Outer(new Wrapper(inner, environment), environment);
  return {
    group,
    open: async (environment) => around(await openPersistent(environment), environment),
    reopen: async (closed, environment) => around(await reopenPersistent(wrappedIn(wrappedIn(closed))), environment),
  };
}

/** The same for a mistake in the vectors of a store. */
export function vectorMutant(
  group: string,
  Mistake: new (find: FindVectors) => VectorsWrapper,
  Outer?: Mistaken,
): Mutant {
  class Wrapper extends StoreWrapper {
    override readonly vectors = new Mistake((caller) => vectorsOf(this.inner, caller));
  }
  return mutant(group, Wrapper, Outer);
}

function wrappedIn(store: Store): Store {
  if (store instanceof StoreWrapper) return store.inner;
  throw new Error('Every mutant is a wrapper.');
}

export const nameOf = (key: Uint8Array): string => Buffer.from(key).toString('latin1');
