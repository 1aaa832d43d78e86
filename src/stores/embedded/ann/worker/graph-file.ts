import { type FileHandle, open } from 'node:fs/promises';

// A file of usearch 2: rows and bytes of a row (u32 each), the rows, 64 bytes of description, five u64 about the graph
// (nodes, connectivity, that of the base level, highest level, entry), the level of each node (i16), the nodes.

const MATRIX_HEAD = 8;
const DESCRIPTION = 64;
const GRAPH_HEAD = 40;
const LEVEL = 2;
/** Key and level. */
const NODE_HEAD = 10;
const COUNT = 4;
const SLOT = 4;
const PART = 2 ** 20;

/**
 * Whether the file is as long as its own contents say. usearch does not notice that a full disk cut off the end of what it
 * saved, and ends the process when it loads that.
 */
export async function isWholeGraph(path: string): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const matrix = await read(file, 0, MATRIX_HEAD);
    if (matrix === undefined) return false;
    const rows = matrix.readUInt32LE(0);
    const graphAt = MATRIX_HEAD + rows * matrix.readUInt32LE(4) + DESCRIPTION;
    const head = await read(file, graphAt, GRAPH_HEAD);
    if (head === undefined || head.readBigUInt64LE(0) !== BigInt(rows)) return false;
    const level = COUNT + Number(head.readBigUInt64LE(8)) * SLOT;
    const base = NODE_HEAD + COUNT + Number(head.readBigUInt64LE(16)) * SLOT;

    const levelsAt = graphAt + GRAPH_HEAD;
    let expected = levelsAt + rows * (LEVEL + base);
    for (let at = 0; at < rows * LEVEL; at += PART) {
      const levels = await read(file, levelsAt + at, Math.min(PART, rows * LEVEL - at));
      if (levels === undefined) return false;
      for (let i = 0; i < levels.length; i += LEVEL) expected += levels.readInt16LE(i) * level;
    }
    return size === expected;
  } finally {
    await file.close();
  }
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer | undefined> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await file.read(buffer, 0, length, position);
  return bytesRead === length ? buffer : undefined;
}
