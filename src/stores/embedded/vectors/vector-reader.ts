import { distance, type VectorIndexOptions } from '../../../core/vectors/index.ts';
import { asBuffer, readU64 } from '../layout.ts';
import type { ReadTransaction } from '../lmdb.ts';
import {
  ALL_DROPPED,
  ALL_SNAPSHOTS,
  copyNumbers,
  decodeSpace,
  droppedOf,
  FLOAT,
  idOf,
  keysOf,
  labelKey,
  NAMES,
  nameKey,
  nameOf,
  numberKey,
  numberOf,
  type SpaceInfo,
  snapshotKey,
} from './layout.ts';
import { decodeSnapshot, type SpaceSnapshot } from './space-snapshot.ts';
import type { VectorTables } from './vector-tables.ts';

type Options = { readonly transaction: ReadTransaction };

/** A vector found and measured; `id` in bytes, which order as ids do. */
export interface Scored {
  readonly label: number;
  readonly id: Buffer;
  readonly distance: number;
}

/** What happened in a space between two positions, in order of neither. */
export interface Changes {
  readonly labels: Float64Array;
  readonly vectors: Float32Array;
  readonly removed: Float64Array;
  /** Where reading goes on: with the vectors, and with the removals. */
  readonly position: Position;
  /** Removals before the position asked for are gone from the log. */
  readonly hasGap: boolean;
}

/** Up to where a reader has seen the vectors and the removals of a space. */
export interface Position {
  readonly vectors: number;
  readonly removals: number;
}

/** How vectors are read. Every call is of one fresh snapshot. */
export class VectorReader {
  readonly #tables: VectorTables;
  readonly #read: <T>(work: (options: Options) => T) => T;

  constructor(tables: VectorTables, read: <T>(work: (options: Options) => T) => T) {
    this.#tables = tables;
    this.#read = read;
  }

  space(namespace: string): SpaceInfo | undefined {
    return this.#read((options) => this.#space(namespace, options));
  }

  spaces(): (SpaceInfo & { readonly namespace: string })[] {
    return this.#read(({ transaction }) =>
      Array.from(this.#tables.spaces.getRange({ ...NAMES, transaction }), ({ key, value }) => ({
        namespace: nameOf(key),
        ...decodeSpace(value),
      })),
    );
  }

  /** Spaces that were dropped and of which something may be left. */
  dropped(): number[] {
    return this.#read(({ transaction }) =>
      Array.from(this.#tables.spaces.getRange({ ...ALL_DROPPED, transaction }), ({ key }) => droppedOf(key)),
    );
  }

  snapshot(space: number): SpaceSnapshot | undefined {
    return this.#read((options) => {
      const { spaces } = this.#tables;
      const bytes = spaces.getBinaryFast(snapshotKey(space), options);
      return bytes && decodeSnapshot(bytes.subarray(0, spaces.lastSize));
    });
  }

  snapshots(): SpaceSnapshot[] {
    return this.#read(({ transaction }) =>
      Array.from(this.#tables.spaces.getRange({ ...ALL_SNAPSHOTS, transaction }), ({ value }) => decodeSnapshot(value)),
    );
  }

  /** `undefined` where the namespace does not exist. */
  getMany(namespace: string, ids: readonly string[]): (Float32Array | undefined)[] | undefined {
    return this.#read((options) => {
      const space = this.#space(namespace, options);
      return space && ids.map((id) => this.#get(space, Buffer.from(id), options));
    });
  }

  /** `undefined` where the namespace does not exist. */
  list(namespace: string, after: string | undefined, limit: number): string[] | undefined {
    return this.#read((options) => {
      const space = this.#space(namespace, options);
      if (space === undefined) return undefined;
      const start = after === undefined ? undefined : labelKey(space.id, Buffer.from(after));
      const range = { ...keysOf(space.id, start), exclusiveStart: start !== undefined, limit, ...options };
      return Array.from(this.#tables.labels.getKeys(range), idOf);
    });
  }

  /** At most `limit` vectors and removals each; `undefined` if the namespace is not that space any more. */
  changes(namespace: string, space: number, from: Position, limit: number): Changes | undefined {
    return this.#read((options) => {
      const info = this.#space(namespace, options);
      if (info?.id !== space) return undefined;
      const range = { limit, ...options };
      const { vectors, removals } = this.#tables;
      const added = [...vectors.getRange({ ...keysOf(space, numberKey(space, from.vectors)), ...range })];
      const gone = [...removals.getRange({ ...keysOf(space, numberKey(space, from.removals)), ...range })];
      const behind = (rows: typeof added) => numberOf((rows[limit - 1] as { key: Uint8Array }).key) + 1;
      return {
        ...rowsOf(added, info.options.dimensions),
        removed: Float64Array.from(gone, ({ value }) => readU64(asBuffer(value))),
        position: {
          vectors: added.length < limit ? info.next : behind(added),
          removals: gone.length < limit ? info.next : behind(gone),
        },
        hasGap: from.removals < info.kept,
      };
    });
  }

  /** Measures those of the labels that still stand for a vector; `size` is of the same snapshot. */
  score(
    namespace: string,
    { id: space, options: { metric, dimensions } }: SpaceInfo,
    query: Float32Array,
    labels: Iterable<number>,
  ): { scored: Scored[]; size: number } {
    return this.#read((options) => {
      const info = this.#space(namespace, options);
      if (info?.id !== space) return { scored: [], size: 0 };
      const { vectors } = this.#tables;
      const numbers = new Float32Array(dimensions);
      const scored: Scored[] = [];
      for (const label of labels) {
        const value = vectors.getBinaryFast(numberKey(space, label), options);
        if (value === undefined) continue;
        copyNumbers(value, numbers);
        const id = Buffer.from(value.subarray(numbers.byteLength, vectors.lastSize));
        scored.push({ label, id, distance: distance(metric, query, numbers) });
      }
      return { scored, size: info.size };
    });
  }

  /** Measures the next `limit` vectors from a label on. */
  scan(
    { id: space, options: { metric, dimensions } }: SpaceInfo,
    query: Float32Array,
    from: number,
    limit: number,
  ): Scored[] {
    return this.#read((options) => {
      const numbers = new Float32Array(dimensions);
      const range = { ...keysOf(space, numberKey(space, from)), limit, ...options };
      return Array.from(this.#tables.vectors.getRange(range), ({ key, value }) => {
        copyNumbers(value, numbers);
        const id = asBuffer(value.subarray(numbers.byteLength));
        return { label: numberOf(key), id, distance: distance(metric, query, numbers) };
      });
    });
  }

  #space(namespace: string, options: Options): SpaceInfo | undefined {
    const bytes = this.#tables.spaces.getBinaryFast(nameKey(namespace), options);
    return bytes && decodeSpace(bytes);
  }

  #get({ id: space, options: { dimensions } }: SpaceInfo, id: Uint8Array, options: Options): Float32Array | undefined {
    const label = this.#tables.labels.getBinaryFast(labelKey(space, id), options);
    if (label === undefined) return undefined;
    const value = this.#tables.vectors.getBinaryFast(numberKey(space, readU64(asBuffer(label))), options);
    // Both are written in one transaction, and this is one snapshot.
    if (value === undefined) throw new Error('A label has no vector.');
    const vector = new Float32Array(dimensions);
    copyNumbers(value, vector);
    return vector;
  }
}

/** Vectors that one read of many takes, so that it keeps the event loop for a few milliseconds. */
export function rowsAtOnce({ dimensions }: VectorIndexOptions): number {
  return Math.min(1000, Math.max(1, Math.floor(2 ** 20 / (dimensions * FLOAT))));
}

function rowsOf(
  rows: readonly { key: Uint8Array; value: Uint8Array }[],
  dimensions: number,
): { labels: Float64Array; vectors: Float32Array } {
  const vectors = new Float32Array(rows.length * dimensions);
  for (const [i, { value }] of rows.entries()) {
    copyNumbers(value, vectors.subarray(i * dimensions, (i + 1) * dimensions));
  }
  return { labels: Float64Array.from(rows, ({ key }) => numberOf(key)), vectors };
}
