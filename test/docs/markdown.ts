import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

/** A block of code in a page. */
export interface Snippet {
  /** Line of its first line of code in the page, from 1. */
  readonly line: number;
  readonly code: string;
  /** `'no-run'`: compiled, not run. `'isolated'`: a program of its own. Otherwise one program with its neighbours. */
  readonly mode: 'together' | 'isolated' | 'no-run';
}

export interface Page {
  /** Path from the root of the project. */
  readonly file: string;
  readonly text: string;
  /** Code that the reader does not see: the comment `<!-- snippet: … -->`. */
  readonly preamble: Snippet | undefined;
  readonly snippets: readonly Snippet[];
}

const FENCE = /^```(\S*)[ ]*(\S*)\n([\s\S]*?)^```$/gm;
const PREAMBLE = /^<!-- snippet:\n([\s\S]*?)^-->$/m;

/** The pages that users read. */
export function readPages(): Page[] {
  const guides = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  const files = ['README.md', 'CONTRIBUTING.md', ...guides.map((name) => `docs/${name}`)];
  return files.map((file) => parsePage(file, readFileSync(join(ROOT, file), 'utf8')));
}

function parsePage(file: string, text: string): Page {
  const lineAt = (index: number): number => text.slice(0, index).split('\n').length;
  const hidden = PREAMBLE.exec(text);
  const preamble: Snippet | undefined =
    hidden === null ? undefined : { line: lineAt(hidden.index) + 1, code: hidden[1] ?? '', mode: 'together' };
  const snippets = [...text.matchAll(FENCE)].flatMap(
    ({ index, 1: language, 2: mode = '', 3: code = '' }): Snippet[] => {
      if (language !== 'ts') return [];
      return [{ line: lineAt(index) + 1, code, mode: modeOf(mode, `${file}:${lineAt(index)}`) }];
    },
  );
  return { file, text, preamble, snippets };
}

function modeOf(word: string, where: string): Snippet['mode'] {
  if (word === '') return 'together';
  if (word === 'isolated' || word === 'no-run') return word;
  throw new Error(`${where}: a fence is tagged ts, ts isolated or ts no-run, not ts ${word}.`);
}
