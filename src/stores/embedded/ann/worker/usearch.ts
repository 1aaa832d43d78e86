import { createRequire } from 'node:module';
import { Failure } from '../failure.ts';
import { type NativeGate, throughGate } from '../native-gate.ts';

// The part of usearch 2.25 that a space uses; its package gives no types to importers.

export interface UsearchIndex {
  /** Throws at a key that is there already. */
  add(keys: BigUint64Array, vectors: Float32Array, threads: number): void;
  search(query: Float32Array, count: number, threads: number): { keys: BigUint64Array; distances: Float32Array };
  /** How many were removed under each key. */
  remove(keys: BigUint64Array): number | number[];
  size(): number;
  dimensions(): number;
  save(path: string): void;
  load(path: string): void;
}

interface Usearch {
  readonly Index: new (options: {
    dimensions: number;
    metric: 'ip' | 'l2sq';
    quantization: 'f16' | 'f32';
    connectivity: number;
    expansion_add: number;
    expansion_search: number;
  }) => UsearchIndex;
}

/** usearch, and the gate through which every call of it goes. */
export interface GuardedUsearch {
  readonly usearch: Usearch;
  readonly gate: NativeGate;
}

/** Loads the optional peer dependency from where the store found it, if it did. */
export function usearchLoader(path: string | undefined, gate: NativeGate): () => GuardedUsearch {
  let loaded: GuardedUsearch | undefined;
  return () => {
    if (loaded !== undefined) return loaded;
    if (path === undefined) throw new Failure('missing', 'needs the package usearch');
    let module: Partial<Usearch>;
    try {
      // What `require` gives has no type of ours; the check below is what makes it one.
      module = throughGate(gate, () => createRequire(path)(path)) as Partial<Usearch>;
    } catch (cause) {
      // The gate's, not that of the package.
      if (cause instanceof Failure) throw cause;
      throw new Failure('missing', `cannot load the package usearch on this machine (${(cause as Error).message})`);
    }
    if (typeof module.Index !== 'function') {
      throw new Failure('missing', 'does not work with the installed version of usearch');
    }
    loaded = { usearch: module as Usearch, gate };
    return loaded;
  };
}
