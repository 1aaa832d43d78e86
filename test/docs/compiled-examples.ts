import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { transformSync } from 'esbuild';
import { PROGRAMS } from '../support/bundled-package.ts';
import { ROOT } from './markdown.ts';

const EXAMPLES = join(ROOT, 'examples');

/** The names of the examples in a folder of `examples`. */
export function examplesIn(folder = '.'): string[] {
  const names = readdirSync(join(EXAMPLES, folder)).filter((name) => name.endsWith('.ts'));
  return names.map((name) => join(folder, name));
}

/** Examples as plain JavaScript: quicker than starting tsx for each, and for each process that it starts itself. */
export class CompiledExamples {
  readonly #out = mkdtempSync(join(PROGRAMS, 'examples-'));
  readonly #tsconfig = readFileSync(join(ROOT, 'tsconfig.json'), 'utf8');

  /** The compiled file. */
  compile(name: string): string {
    const file = join(this.#out, name.replace(/ts$/, 'js'));
    const { code } = transformSync(readFileSync(join(EXAMPLES, name), 'utf8'), {
      loader: 'ts',
      target: 'node20',
      tsconfigRaw: this.#tsconfig,
    });
    mkdirSync(dirname(file), { recursive: true });
    // What it imports or forks stands beside it, compiled as well.
    writeFileSync(file, code.replace(/(["']\.{1,2}\/[^"'\n]*)\.ts(?=["'])/g, '$1.js'));
    return file;
  }

  /** The compiled `demo.ts` of a folder, with all that stands beside it. */
  demo(folder: string): string {
    for (const name of examplesIn(folder)) this.compile(name);
    return join(this.#out, folder, 'demo.js');
  }
}
