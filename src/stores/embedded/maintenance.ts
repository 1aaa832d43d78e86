import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { throwIfAborted } from '../../core/abort.ts';
import { badPath, fileError, fsCode, full, incompatible, unavailable } from './failures.ts';
import { dataFile, generationOf, publish, removeData, withTemporary } from './folder.ts';
import type { Gate } from './gate.ts';
import { inspect } from './inspect.ts';
import { type Opening, openFile } from './open-file.ts';
import type { Tables } from './tables.ts';

/** Writes a compact copy of one snapshot to `file`; works in a thread of lmdb's. */
async function copy(tables: Tables, file: string): Promise<void> {
  try {
    await tables.root.backup(file, true);
  } catch (error) {
    // The copying thread tells an error by its text alone.
    const hasNoSpace = error instanceof Error && /No space left/.test(error.message);
    throw hasNoSpace
      ? full(error)
      : unavailable('LMDB could not copy the data file; nothing was changed.', 'no', error);
  }
  await inspect(file);
}

export interface Compaction {
  readonly tables: Tables;
  readonly gate: Gate;
  readonly opening: Opening;
  readonly folder: string;
  readonly owner: string;
  readonly signal: AbortSignal | undefined;
}

/**
 * Replaces the data file by a compact copy, as the next generation. The rename decides: a crash before it leaves the old
 * file, one after it the new. Resolves to the tables of the new file; the caller closes the old ones, then calls `done`.
 */
export async function compact(work: Compaction): Promise<{ tables: Tables; done: () => Promise<void> }> {
  const { tables, gate, opening, folder, owner, signal } = work;
  const release = await gate.take('compact');
  try {
    const [other] = gate.others();
    if (other !== undefined) {
      throw unavailable(
        `Another store has the folder open (process ${other.pid}): close it before compacting, or make a compact copy ` +
          'with backup().',
        'no',
      );
    }
    throwIfAborted(signal);
    const old = generationOf(tables.file);
    const target = dataFile(folder, old + 1);
    await withTemporary(folder, owner, async (path) => {
      const file = join(path, 'records.mdb');
      await copy(tables, file);
      throwIfAborted(signal);
      await publish(file, target);
    });
    try {
      const next = await openFile(opening, target);
      const done = async (): Promise<void> => {
        await removeData(folder, old);
        release();
      };
      if (next.lastVersion() === tables.lastVersion()) return { tables: next, done };
      await next.close();
      throw incompatible('The compacted copy is not what was copied; the old data file was kept.');
    } catch (error) {
      // Nobody else has opened it: the gate is ours.
      await removeData(folder, old + 1);
      throw error;
    }
  } catch (error) {
    release();
    throw fileError(error, 'Compacting the folder');
  }
}

/** Writes a compact copy of one snapshot into a folder of its own. */
export async function backup(
  tables: Tables,
  path: string,
  owner: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  throwIfAborted(signal);
  let isNew = false;
  try {
    isNew = (await mkdir(path, { recursive: true, mode: 0o700 })) !== undefined;
    if ((await readdir(path)).length > 0) {
      throw badPath(`${path} is not empty: give a backup an empty folder, or one that does not exist.`);
    }
    await withTemporary(path, owner, async (temporary) => {
      const file = join(temporary, 'records.mdb');
      await copy(tables, file);
      throwIfAborted(signal);
      await publish(file, dataFile(path, 1));
    });
  } catch (error) {
    if (isNew) await rm(path, { recursive: true, force: true });
    const code = fsCode(error);
    if (code === 'EEXIST' || code === 'ENOTDIR' || code === 'EACCES') {
      throw badPath(`${path} cannot be made a folder (${code}): give a backup a folder that can be created.`, error);
    }
    throw fileError(error, 'Making a backup');
  }
}
