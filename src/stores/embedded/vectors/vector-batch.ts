import { checkSameIndex, checkVector, missingIndex, type VectorIndexOptions } from '../../../core/vectors/index.ts';
import { asBuffer, FORMAT, META_FORMAT, readU64 } from '../layout.ts';
import type { Table } from '../lmdb.ts';
import {
  decodeSpace,
  droppedKey,
  encodeSpace,
  encodeVector,
  keysOf,
  LAST_SPACE,
  labelKey,
  nameKey,
  numberKey,
  numberOf,
  type SpaceInfo,
  snapshotKey,
  u64,
} from './layout.ts';
import { decodeSnapshot, encodeSnapshot, type SpaceSnapshot } from './space-snapshot.ts';
import type { VectorTables } from './vector-tables.ts';

/** A vector write as it waits in the queue, with numbers of its own. */
export type PreparedVector = { readonly namespace: string; readonly id: Uint8Array } & (
  | { readonly type: 'insert'; readonly vector: Float32Array }
  | { readonly type: 'delete' }
);

/** Removals that the log of a space keeps, however few vectors it has. */
const LEAST_LOGGED = 1000;
/** Share of the vectors that the log keeps as removals: who has missed more does better to begin anew. */
const LOGGED_SHARE = 0.3;
/** Removals that one removal cuts off the log, so that no write pays for all. */
const TRIMMED = 2;

type Space = { -readonly [K in keyof SpaceInfo]: SpaceInfo[K] };

/** What one LMDB transaction does to vectors; lives inside the callback of that transaction, as its Batch does. */
export class VectorBatch {
  readonly #tables: VectorTables;
  readonly #meta: Table;
  /** As this transaction has left them; `undefined` for a namespace that does not exist. */
  readonly #spaces = new Map<string, Space | undefined>();
  readonly #changed = new Set<string>();

  constructor(tables: VectorTables, meta: Table) {
    this.#tables = tables;
    this.#meta = meta;
  }

  /** Throws before anything is written if one of them must be refused. */
  check(writes: readonly PreparedVector[]): void {
    for (const write of writes) {
      const { options } = this.#existing(write.namespace);
      // The numbers were checked when the call came in.
      if (write.type === 'insert' && write.vector.length !== options.dimensions) {
        checkVector(write.vector, options.dimensions);
      }
    }
  }

  /** Of writes that were checked in this transaction, and of deletes in namespaces that may be gone. */
  apply(writes: readonly PreparedVector[]): void {
    for (const write of writes) {
      const space = this.#space(write.namespace);
      if (space === undefined) continue;
      this.#changed.add(write.namespace);
      if (write.type === 'insert') this.#insert(space, write.id, write.vector);
      else this.#remove(space, write.id);
    }
  }

  has({ namespace, id }: PreparedVector): boolean {
    return this.#tables.labels.getBinaryFast(labelKey(this.#existing(namespace).id, id)) !== undefined;
  }

  /** `false` if it is there with the same options. */
  create(namespace: string, options: VectorIndexOptions): boolean {
    const there = this.#space(namespace);
    if (there !== undefined) {
      checkSameIndex(namespace, there.options, options);
      return false;
    }
    const last = this.#tables.spaces.getBinaryFast(LAST_SPACE);
    const id = last === undefined ? 1 : readU64(asBuffer(last)) + 1;
    // A program that knows no vectors would change records without them: it refuses the folder from now on.
    this.#meta.put(META_FORMAT, u64(FORMAT));
    this.#tables.spaces.put(LAST_SPACE, u64(id));
    this.#spaces.set(namespace, { id, next: 0, size: 0, logged: 0, kept: 0, options });
    this.#changed.add(namespace);
    return true;
  }

  /** `false` if there is none. Its vectors are left for `sweep`. */
  drop(namespace: string): boolean {
    const space = this.#space(namespace);
    if (space === undefined) return false;
    this.#tables.spaces.remove(nameKey(namespace));
    this.#tables.spaces.put(droppedKey(space.id), new Uint8Array());
    this.#spaces.set(namespace, undefined);
    this.#changed.delete(namespace);
    return true;
  }

  /** Deletes some of what a dropped space left; whether there may be more. */
  sweep(space: number, limit: number): boolean {
    let left = limit;
    for (const table of [this.#tables.labels, this.#tables.vectors, this.#tables.removals]) {
      const keys = [...table.getKeys({ ...keysOf(space), limit: left })];
      for (const key of keys) table.remove(key);
      left -= keys.length;
      if (left === 0) return true;
    }
    this.#tables.spaces.remove(snapshotKey(space));
    this.#tables.spaces.remove(droppedKey(space));
    return false;
  }

  /** Remembers a snapshot unless a later one is known; the name of the file that is of no use any more, if any. */
  remember(namespace: string, space: number, snapshot: SpaceSnapshot): string | undefined {
    if (this.#space(namespace)?.id !== space) return snapshot.file;
    const { spaces } = this.#tables;
    const bytes = spaces.getBinaryFast(snapshotKey(space));
    const before = bytes && decodeSnapshot(bytes.subarray(0, spaces.lastSize));
    if (before !== undefined && before.position.vectors > snapshot.position.vectors) return snapshot.file;
    spaces.put(snapshotKey(space), encodeSnapshot(snapshot));
    return before?.file;
  }

  /** Writes what was counted. */
  finish(): void {
    for (const namespace of this.#changed) {
      const space = this.#spaces.get(namespace);
      if (space !== undefined) this.#tables.spaces.put(nameKey(namespace), encodeSpace(space));
    }
  }

  #insert(space: Space, id: Uint8Array, vector: Float32Array): void {
    this.#remove(space, id);
    const label = space.next++;
    this.#tables.labels.put(labelKey(space.id, id), u64(label));
    this.#tables.vectors.put(numberKey(space.id, label), encodeVector(vector, id));
    space.size += 1;
  }

  #remove(space: Space, id: Uint8Array): void {
    const key = labelKey(space.id, id);
    const bytes = this.#tables.labels.getBinaryFast(key);
    if (bytes === undefined) return;
    const label = readU64(asBuffer(bytes));
    this.#tables.labels.remove(key);
    this.#tables.vectors.remove(numberKey(space.id, label));
    this.#tables.removals.put(numberKey(space.id, space.next++), u64(label));
    space.size -= 1;
    space.logged += 1;
    this.#trim(space);
  }

  #trim(space: Space): void {
    const excess = space.logged - Math.max(LEAST_LOGGED, Math.ceil(space.size * LOGGED_SHARE));
    if (excess <= 0) return;
    const from = numberKey(space.id, space.kept);
    const range = { ...keysOf(space.id, from), limit: Math.min(excess, TRIMMED) };
    for (const key of [...this.#tables.removals.getKeys(range)]) {
      this.#tables.removals.remove(key);
      space.kept = numberOf(key) + 1;
      space.logged -= 1;
    }
  }

  #existing(namespace: string): Space {
    const space = this.#space(namespace);
    if (space === undefined) throw missingIndex(namespace);
    return space;
  }

  #space(namespace: string): Space | undefined {
    if (this.#spaces.has(namespace)) return this.#spaces.get(namespace);
    const bytes = this.#tables.spaces.getBinaryFast(nameKey(namespace));
    const space = bytes && decodeSpace(bytes);
    this.#spaces.set(namespace, space);
    return space;
  }
}
