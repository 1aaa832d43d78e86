import { join } from 'node:path';
import { NorimakiError } from '../../core/errors.ts';
import { incompatible, unreadable } from './failures.ts';
import { dataFile, publish, withTemporary } from './folder.ts';
import { inspect } from './inspect.ts';
import { asBuffer, FORMAT, FORMAT_WITHOUT_VECTORS, META_FORMAT, readU64, writeU64 } from './layout.ts';
import type { Environment, Lmdb, Table } from './lmdb.ts';
import type { Durability } from './owner.ts';
import { Tables } from './tables.ts';
import { VECTOR_TABLES, type VectorTables } from './vectors/vector-tables.ts';

/** How to open LMDB files; the same for every file of one store. */
export interface Opening {
  readonly lmdb: Lmdb;
  readonly durability: Durability;
  readonly mapSize: number;
}

const TABLE = { encoding: 'binary', keyEncoding: 'binary' };
const NAMES = ['records', 'deadlines', 'meta'] as const;
const CHANGES = 'changes';

/** One reader for each store that is open, in all processes; LMDB's own default is 126. */
const MAX_READERS = 1024;

function openRoot({ lmdb, durability, mapSize }: Opening, file: string): Environment {
  return lmdb.open(file, {
    ...TABLE,
    noSubdir: true,
    permissionsMode: 0o600,
    maxReaders: MAX_READERS,
    mapSize,
    // lmdb-js's overlapping sync keeps its note of what is on disk for each process alone, so that a process that just
    // opened takes an unflushed transaction for flushed. LMDB's own order of syncs needs no such note.
    overlappingSync: false,
    // We batch. lmdb-js's batches hold a promise that nobody can catch: a commit that fails would end the process.
    eventTurnBatching: false,
    // Leaves the sync of the meta page to the next transaction: a loss of power undoes the last ones, no more.
    noMetaSync: durability === 'committed',
  });
}

/** Makes a data file that is complete when it appears. Only while holding the gate. */
export async function createFile(opening: Opening, folder: string, owner: string): Promise<void> {
  await withTemporary(folder, owner, async (path) => {
    const file = join(path, 'records.mdb');
    const root = openRoot(opening, file);
    try {
      const [, , meta] = NAMES.map((name) => root.openDB(name, TABLE));
      vectorTablesOf(root);
      tableOf(root, CHANGES);
      await root.transaction(() => meta?.put(META_FORMAT, writeU64(Buffer.alloc(8), FORMAT_WITHOUT_VECTORS)));
    } finally {
      await root.close();
    }
    await publish(file, dataFile(folder, 1));
  });
}

/** Opens a data file and changes no data in it. Only while holding the gate. */
export async function openFile(opening: Opening, file: string): Promise<Tables> {
  await inspect(file);
  let root: Environment;
  try {
    root = openRoot(opening, file);
  } catch (cause) {
    throw incompatible(`LMDB cannot open ${file}: check its permissions, or restore it from a backup.`, cause);
  }
  try {
    const tables = tablesOf(root, file);
    const vectorTables = vectorTablesOf(root);
    return new Tables(opening.lmdb, file, root, { ...tables, changes: tableOf(root, CHANGES) }, vectorTables);
  } catch (error) {
    await root.close();
    throw error instanceof NorimakiError ? error : unreadable(error);
  }
}

function tablesOf(root: Environment, file: string): Record<(typeof NAMES)[number], Table> {
  const [records, deadlines, meta] = NAMES.map((name) => root.openDB(name, { ...TABLE, create: false }));
  const found = meta?.getBinaryFast(META_FORMAT);
  if (records === undefined || deadlines === undefined || meta === undefined || found === undefined) {
    throw incompatible(`The data file ${file} is not of norimaki; nothing was changed. Give another folder.`);
  }
  const format = readU64(asBuffer(found));
  if (format !== FORMAT && format !== FORMAT_WITHOUT_VECTORS) {
    throw incompatible(
      `The data file ${file} has format ${format}; this version of norimaki reads format ${FORMAT} at most. Nothing ` +
        'was changed; open it with the version that wrote it.',
    );
  }
  return { records, deadlines, meta };
}

/** Makes a table that is missing, as those are that came later than the file. */
function tableOf(root: Environment, name: string): Table {
  const found = root.openDB(name, { ...TABLE, create: false }) ?? root.openDB(name, TABLE);
  // Only a table that may not be created is ever missing.
  return found as Table;
}

function vectorTablesOf(root: Environment): VectorTables {
  const table = (name: string): Table => tableOf(root, name);
  const { spaces, labels, vectors, removals } = VECTOR_TABLES;
  return { spaces: table(spaces), labels: table(labels), vectors: table(vectors), removals: table(removals) };
}
