import { type FileHandle, open } from 'node:fs/promises';
import { fsCode, incompatible } from './failures.ts';
import { arePagesThere } from './pages.ts';

// LMDB maps the file into memory and follows what stands there: a truncated or foreign file ends the process. So its
// two meta pages, and that all its pages are there, are checked with plain reads before LMDB sees it.

const META_SIZE = 24 + 144;
const MAGIC = 0xbeefc0de;
const DATA_VERSION = 2;
const P_META = 0x08;
const NO_PAGE = 2n ** 64n - 1n;

interface Meta {
  readonly pageSize: number;
  readonly freeRoot: bigint;
  readonly mainRoot: bigint;
  readonly lastPage: bigint;
  readonly transaction: bigint;
}

/** Throws `store.incompatible` unless `file` is an LMDB file that can be opened without harm. Changes nothing. */
export async function inspect(file: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(file, 'r');
    await inspectHandle(handle, file);
  } catch (error) {
    const code = fsCode(error);
    if (code === undefined) throw error;
    throw incompatible(`The data file ${file} cannot be read (${code}): check its owner and its permissions.`, error);
  } finally {
    await handle?.close();
  }
}

async function inspectHandle(handle: FileHandle, file: string): Promise<void> {
  const { size } = await handle.stat();
  const first = await metaAt(handle, 0);
  if (first === undefined) throw damaged(file, 'does not begin as an LMDB file of version 2');
  const second = await metaAt(handle, first.pageSize);
  if (second === undefined || second.pageSize !== first.pageSize) throw damaged(file, 'has a broken second page');
  const meta = first.transaction > second.transaction ? first : second;
  const pages = BigInt(Math.floor(size / meta.pageSize));
  const roots = [meta.freeRoot, meta.mainRoot].filter((root) => root !== NO_PAGE);
  if (roots.some((root) => root < 2n || root > meta.lastPage)) throw damaged(file, 'has broken meta pages');
  // LMDB leaves pages at the end unwritten that one transaction took and freed, so a short file may be whole.
  if (meta.lastPage >= pages && !(await arePagesThere(handle, meta.pageSize, roots, pages))) {
    throw damaged(file, 'is shorter than what it holds');
  }
}

async function metaAt(handle: FileHandle, offset: number): Promise<Meta | undefined> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(META_SIZE), 0, META_SIZE, offset);
  if (bytesRead < META_SIZE || !(buffer.readUInt16LE(18) & P_META)) return undefined;
  if (buffer.readUInt32LE(24) !== MAGIC || (buffer.readUInt32LE(28) & 0xffff) !== DATA_VERSION) return undefined;
  const pageSize = buffer.readUInt32LE(48);
  if (pageSize < 512 || pageSize > 65_536 || (pageSize & (pageSize - 1)) !== 0) return undefined;
  return {
    pageSize,
    freeRoot: buffer.readBigUInt64LE(88),
    mainRoot: buffer.readBigUInt64LE(136),
    lastPage: buffer.readBigUInt64LE(144),
    transaction: buffer.readBigUInt64LE(152),
  };
}

function damaged(file: string, what: string): Error {
  return incompatible(
    `The data file ${file} ${what}: it is damaged or not of norimaki. Nothing was changed; restore it from a backup, ` +
      'or give another folder.',
  );
}
