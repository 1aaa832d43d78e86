import type { ErrorCode } from '../../../core/errors.ts';
import type { VectorIndexOptions, VectorWrite } from '../../../core/vectors/index.ts';

/** Names that are close to one another. */
export const MODEL_NAMESPACES: readonly string[] = ['s', 's\0', 'ss'];
/** In the order of their UTF-8 bytes; JavaScript would change the last two. */
export const MODEL_IDS: readonly string[] = ['a', 'a\0', 'ab', 'b', '\uffee', '\u{10000}'];
export const DIMENSIONS = 3;

interface Namespace {
  readonly options: VectorIndexOptions;
  readonly vectors: Map<string, Float32Array>;
}

/** What the vectors of a store must be like, as plainly as it can be said, with one record for commits. */
export class VectorModel {
  readonly namespaces = new Map<string, Namespace>();
  record: string | undefined;

  /** The error that an index with these options must meet. */
  refusedIndex(name: string, options: VectorIndexOptions): ErrorCode | undefined {
    const there = this.namespaces.get(name)?.options;
    const same = there === undefined || (there.metric === options.metric && there.dimensions === options.dimensions);
    return same ? undefined : 'argument.invalid';
  }

  /** The error that this write must meet. */
  refused(write: VectorWrite): ErrorCode | undefined {
    const there = this.namespaces.get(write.namespace);
    if (there === undefined) return 'index.missing';
    const fits = write.type === 'delete' || write.vector.length === there.options.dimensions;
    return fits ? undefined : 'argument.invalid';
  }

  apply(writes: readonly VectorWrite[]): void {
    for (const write of writes) {
      const vectors = this.namespaces.get(write.namespace)?.vectors;
      if (write.type === 'insert') vectors?.set(write.id, write.vector);
      else vectors?.delete(write.id);
    }
  }

  /** Every id of a namespace, in order. */
  idsIn(name: string): string[] {
    return MODEL_IDS.filter((id) => this.namespaces.get(name)?.vectors.has(id));
  }
}
