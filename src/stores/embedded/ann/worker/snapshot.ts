import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, stat, statfs } from 'node:fs/promises';
import { Failure } from '../failure.ts';
import type { AnnSnapshot } from '../types.ts';
import type { Flat } from './flat.ts';
import type { Graph } from './graph.ts';
import { isWholeGraph } from './graph-file.ts';

/** Of both kinds of file; another number whenever the bytes, the blocks or the settings of the graph change. */
export const LAYOUT = 2;

/** Labels and vectors of each block, one behind the other, in the byte order of the machine. */
export async function writeFlat(path: string, flat: Flat): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (const { labels, vectors } of flat.blocks()) {
      await file.writeFile(bytesOf(labels));
      await file.writeFile(bytesOf(vectors));
    }
  } finally {
    await file.close();
  }
}

/** Fills the empty `flat`; `undefined` if the file is not what `expected` says. */
export async function readFlat(path: string, expected: AnnSnapshot, flat: Flat): Promise<Flat | undefined> {
  const { dimensions, size, bytes } = expected;
  if (bytes !== size * (Float64Array.BYTES_PER_ELEMENT + dimensions * Float32Array.BYTES_PER_ELEMENT)) return undefined;
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return undefined;
  try {
    if ((await file.stat()).size !== bytes) return undefined;
    const hash = createHash('sha256');
    for (let left = size; left > 0; ) {
      const rows = Math.min(flat.rowsOfBlock, left);
      const [labels, vectors] = [new Float64Array(rows), new Float32Array(rows * dimensions)];
      for (const part of [bytesOf(labels), bytesOf(vectors)]) {
        if (!(await fill(file, part))) return undefined;
        hash.update(part);
      }
      flat.add(labels, vectors);
      left -= rows;
    }
    return hash.digest('hex') === expected.checksum ? flat : undefined;
  } catch {
    // It cannot be read, or names a label twice.
    return undefined;
  } finally {
    await file.close();
  }
}

/** The file of usearch. It does not say why it fails, so a disk without space left is taken for the reason. */
export async function writeGraph(path: string, graph: Graph): Promise<void> {
  try {
    graph.save(path);
  } catch (error) {
    const { bavail } = await statfs(path);
    throw new Failure('failed', (error as Error).message, bavail === 0 ? 'ENOSPC' : undefined);
  }
}

/** Loads into the empty `graph`; `undefined` if the file is not what `expected` says. */
export async function readGraph(path: string, expected: AnnSnapshot, graph: Graph): Promise<Graph | undefined> {
  const found = await fingerprint(path).catch(() => undefined);
  if (found?.bytes !== expected.bytes || found.checksum !== expected.checksum) return undefined;
  if (!(await isWholeGraph(path))) return undefined;
  graph.load(path, expected.dead);
  return graph.size === expected.size && graph.dimensions === expected.dimensions ? graph : undefined;
}

/** Checksum and length of a file just written; fails if a full disk cut it off. */
export async function checkWritten(
  path: string,
  kind: AnnSnapshot['kind'],
): Promise<Pick<AnnSnapshot, 'checksum' | 'bytes'>> {
  if (kind === 'hnsw' && !(await isWholeGraph(path))) {
    throw new Failure('failed', 'The graph was not written to its end.', 'ENOSPC');
  }
  return fingerprint(path);
}

async function fingerprint(path: string): Promise<Pick<AnnSnapshot, 'checksum' | 'bytes'>> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(part as Buffer);
  return { checksum: hash.digest('hex'), bytes: (await stat(path)).size };
}

/** Whether the file had as many bytes left. */
async function fill(file: FileHandle, target: Buffer): Promise<boolean> {
  for (let read = 0; read < target.length; ) {
    const { bytesRead } = await file.read(target, read, target.length - read);
    if (bytesRead === 0) return false;
    read += bytesRead;
  }
  return true;
}

function bytesOf(array: Float64Array | Float32Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}
