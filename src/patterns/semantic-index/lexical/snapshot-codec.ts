import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Version } from '../../../core/version.ts';
import type { InvertedIndex } from './inverted-index.ts';
import type { Known, WordIndex } from './word-index.ts';

const FORMAT = 1;

interface Snapshot {
  readonly format: number;
  /** What decides which words a text has: of another one nothing can be used. */
  readonly settings: string;
  readonly known: readonly (readonly [key: string, version: Version, hash: string])[];
  readonly index: ReturnType<InvertedIndex['dump']>;
}

/** Names fields, weights aside, analyzer and stop words. */
export function settingsDigest(fields: readonly string[], analyzer: string, stopWords: readonly string[]): string {
  const all = JSON.stringify([fields, analyzer, [...stopWords].sort()]);
  return createHash('sha256').update(all).digest('base64url').slice(0, 16);
}

/** All that an index knows at this moment. */
export async function encodeSnapshot(words: WordIndex, settings: string): Promise<Uint8Array> {
  const known = [...words.known].map(([key, { version, hash }]) => [key, version, hash] as const);
  // In one turn with the line above, so that both are of one moment.
  const snapshot: Snapshot = { format: FORMAT, settings, known, index: words.inverted.dump() };
  return promisify(gzip)(JSON.stringify(snapshot), { level: 3 });
}

/** Whether it was taken. What others or other versions wrote is left, and nothing is changed then. */
export async function loadSnapshot(words: WordIndex, settings: string, bytes: Uint8Array): Promise<boolean> {
  try {
    const snapshot = JSON.parse((await promisify(gunzip)(bytes)).toString()) as Snapshot;
    if (snapshot.format !== FORMAT || snapshot.settings !== settings) return false;
    const known = snapshot.known.map(([key, version, hash]): [string, Known] => [key, { version, hash }]);
    words.load(known, snapshot.index);
    return true;
  } catch {
    // Its digest was right: another version of what is below wrote it.
    words.clear();
    return false;
  }
}
