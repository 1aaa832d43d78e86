import { readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';

// How LMDB (data version 2) lays out the pages of its trees; see MDB_page and MDB_node in liblmdb's mdb.c.

const PAGE_HEADER = 24;
const NODE_HEADER = 8;
const P_BRANCH = 0x01;
const P_LEAF = 0x02;
const F_BIGDATA = 0x01;
const F_SUBDATA = 0x02;
const ROOT_IN_TREE = 40;
const NO_PAGE = 2n ** 64n - 1n;

/** A run of pages that something in a tree points to; `isTree` if they are not a value's own. */
interface Run {
  readonly page: bigint;
  readonly count: bigint;
  readonly isTree: boolean;
}

/** Whether the trees from `roots`, with all their values, lie within the first `pages` pages of the file. */
export async function arePagesThere(
  handle: FileHandle,
  pageSize: number,
  roots: readonly bigint[],
  pages: bigint,
): Promise<boolean> {
  const buffer = Buffer.alloc(pageSize);
  const open: Run[] = roots.map((page) => ({ page, count: 1n, isTree: true }));
  const seen = new Set<bigint>();
  for (let run = open.pop(); run !== undefined; run = open.pop()) {
    if (run.page < 2n || run.page + run.count > pages || seen.has(run.page)) return false;
    seen.add(run.page);
    if (!run.isTree) continue;
    if (readSync(handle.fd, buffer, 0, pageSize, Number(run.page) * pageSize) < pageSize) return false;
    const next = runsOf(buffer, run.page);
    if (next === undefined) return false;
    open.push(...next);
  }
  return true;
}

/** What a page of a tree points to, or `undefined` if it is none. */
function runsOf(page: Buffer, number: bigint): Run[] | undefined {
  const flags = page.readUInt16LE(18);
  if (page.readBigUInt64LE(0) !== number || !(flags & (P_BRANCH | P_LEAF))) return undefined;
  const runs: Run[] = [];
  const nodes = page.readUInt16LE(20) >> 1;
  for (let i = 0; i < nodes; i++) {
    const pointer = PAGE_HEADER + 2 * i;
    if (pointer + 2 > page.length) return undefined;
    const node = PAGE_HEADER + page.readUInt16LE(pointer);
    if (node + NODE_HEADER > page.length) return undefined;
    const run = flags & P_BRANCH ? childOf(page, node) : bigDataOf(page, node);
    if (run === undefined) return undefined;
    if (run.page !== NO_PAGE) runs.push(run);
  }
  return runs;
}

function childOf(page: Buffer, node: number): Run {
  const high = BigInt(page.readUInt16LE(node + 4)) << 32n;
  return { page: high | BigInt(page.readUInt32LE(node)), count: 1n, isTree: true };
}

function bigDataOf(page: Buffer, node: number): Run | undefined {
  const flags = page.readUInt16LE(node + 4);
  const value = node + NODE_HEADER + page.readUInt16LE(node + 6);
  if (!(flags & (F_BIGDATA | F_SUBDATA))) return { page: NO_PAGE, count: 0n, isTree: false };
  if (value + ROOT_IN_TREE + 8 > page.length && !(flags & F_BIGDATA && value + 24 <= page.length)) return undefined;
  if (flags & F_SUBDATA) return { page: page.readBigUInt64LE(value + ROOT_IN_TREE), count: 1n, isTree: true };
  return { page: page.readBigUInt64LE(value), count: page.readBigUInt64LE(value + 16), isTree: false };
}
