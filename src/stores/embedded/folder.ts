import { chmod, type FileHandle, lstat, mkdir, open, readdir, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { badPath, fsCode } from './failures.ts';
import { isAlive, ownerOf } from './owner.ts';

// A folder holds: records.<n>.mdb and its lock, the data, of which the highest n counts; openers/ and gate/, see
// gate.ts; tmp.<owner>/, where a data file is made before it gets its name; and vectors/, what can be built again, see
// vectors/snapshot-files.ts.

const DATA = /^records\.([1-9]\d*)\.mdb$/;
const OURS = /^(records\.\d+\.mdb(-lock)?|openers|gate|vectors|tmp\..*|lost\+found|\..*)$/;

/** Finds or creates the folder and what belongs into every one. Resolves to its real path. */
export async function prepareFolder(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    if (!(await stat(path)).isDirectory()) throw badPath(`${path} is a file: give the path of a folder.`);
    for (const name of ['openers', 'gate']) await mkdir(join(path, name), { recursive: true, mode: 0o700 });
    return await realpath(path);
  } catch (error) {
    const code = fsCode(error);
    if (code === 'ENOENT' && (await isLink(path))) {
      throw badPath(`${path} is a symbolic link to nothing: remove it, or create what it points to.`, error);
    }
    if (code === 'EEXIST' || code === 'ENOTDIR') {
      throw badPath(`${path} is not a folder, or lies in something that is none: give the path of a folder.`, error);
    }
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS' || code === 'ELOOP' || code === 'ENOENT') {
      throw badPath(`${path} cannot be used (${code}): give a folder that this user may read and write.`, error);
    }
    throw error;
  }
}

async function isLink(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isSymbolicLink() ?? false;
}

export function dataFile(folder: string, generation: number): string {
  return join(folder, `records.${generation}.mdb`);
}

export function generationOf(file: string): number {
  return Number(DATA.exec(file.slice(dirname(file).length + 1))?.[1]);
}

/**
 * The generation of the data that counts, or `undefined` in a folder that is still to be filled. Removes what crashes
 * left. Only while holding the gate.
 */
export async function currentGeneration(folder: string): Promise<number | undefined> {
  const names = await readdir(folder);
  const generations = names.flatMap((name) => DATA.exec(name)?.[1] ?? []).map(Number);
  const [current, ...old] = generations.sort((a, b) => b - a);
  if (current === undefined && names.some((name) => !OURS.test(name))) {
    throw badPath(`${folder} holds other files: give an empty folder, or one that does not exist.`);
  }
  if (current !== undefined && !(await lstat(dataFile(folder, current))).isFile()) {
    throw badPath(`${dataFile(folder, current)} is not a file: the embedded store follows no links. Remove it.`);
  }
  for (const generation of old) await removeData(folder, generation);
  for (const name of names) {
    const owner = name.startsWith('tmp.') ? ownerOf(name) : undefined;
    if (owner !== undefined && !isAlive(owner)) await rm(join(folder, name), { recursive: true, force: true });
  }
  return current;
}

export async function removeData(folder: string, generation: number): Promise<void> {
  await rm(dataFile(folder, generation), { force: true });
  await rm(`${dataFile(folder, generation)}-lock`, { force: true });
}

/** Runs `work` with a private folder in `folder`, named after its owner so that a crash leaves nothing for ever. */
export async function withTemporary<T>(folder: string, owner: string, work: (path: string) => Promise<T>): Promise<T> {
  const path = join(folder, `tmp.${owner}`);
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { mode: 0o700 });
  try {
    return await work(path);
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

/** Gives a finished data file its name, all of it on disk before and the name after. */
export async function publish(from: string, to: string): Promise<void> {
  await chmod(from, 0o600);
  await sync(from);
  await rename(from, to);
  await sync(dirname(to));
}

async function sync(path: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, 'r');
    await handle.sync();
  } finally {
    await handle?.close();
  }
}
