import { NorimakiError } from '../../core/errors.ts';

// The part of lmdb-js 3 that this store uses. Its own types leave out `lastSize`, `permissionsMode`, a `transaction`
// for `getBinaryFast` and the native `resetTxn`, so they are declared here, each as its source has them.

/** A read transaction of ours. Reading renews it by itself; `resetTxn` lets its snapshot go. */
export interface ReadTransaction {
  readonly address: number;
  done(): void;
}

export interface RangeOptions {
  readonly start?: Uint8Array | undefined;
  readonly end?: Uint8Array | undefined;
  readonly exclusiveStart?: boolean;
  readonly inclusiveEnd?: boolean;
  readonly reverse?: boolean;
  readonly limit?: number;
  readonly transaction?: ReadTransaction;
}

export interface TableStats {
  readonly pageSize: number;
  readonly entryCount: number;
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

export interface Table {
  /** Size of the value that the last read found, in bytes; what `getBinaryFast` returns may be longer. */
  readonly lastSize: number;
  /** Memory of lmdb's own, overwritten by the next read. */
  getBinaryFast(key: Uint8Array, options?: { transaction: ReadTransaction }): Uint8Array | undefined;
  getRange(options: RangeOptions): Iterable<{ key: Uint8Array; value: Uint8Array }>;
  getKeys(options: RangeOptions): Iterable<Uint8Array>;
  put(key: Uint8Array, value: Uint8Array): unknown;
  remove(key: Uint8Array): unknown;
  getStats(): TableStats & { root: TableStats; free: TableStats; lastPageNumber: number };
  resetReadTxn(): void;
}

export interface Environment extends Table {
  openDB(name: string, options: object): Table | undefined;
  useReadTransaction(): ReadTransaction;
  transaction<T>(action: () => T): Promise<T>;
  backup(path: string, compact: boolean): Promise<void>;
  close(): Promise<void>;
}

export interface Lmdb {
  open(path: string, options: object): Environment;
  readonly nativeAddon: { resetTxn(address: number): void };
}

/** Loads the optional peer dependency. */
export async function loadLmdb(load: () => Promise<unknown> = () => import('lmdb')): Promise<Lmdb> {
  let module: Partial<Lmdb>;
  try {
    // What a dynamic import gives has no type of ours; the check below is what makes it one.
    module = (await load()) as Partial<Lmdb>;
  } catch (cause) {
    throw new NorimakiError(
      'capability.missing',
      'The embedded store needs the package lmdb: run `npm install lmdb`.',
      { capability: 'lmdb', neededBy: 'the embedded store' },
      { cause },
    );
  }
  if (typeof module.open !== 'function' || typeof module.nativeAddon?.resetTxn !== 'function') {
    throw new NorimakiError(
      'capability.missing',
      'The embedded store does not work with the installed version of lmdb: run `npm install lmdb@3`.',
      { capability: 'lmdb 3', neededBy: 'the embedded store' },
    );
  }
  return module as Lmdb;
}

/** The number of an error of LMDB or of the operating system, if lmdb gave one. */
export function errorNumber(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}
