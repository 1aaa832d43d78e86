import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from './markdown.ts';
import type { SnippetProgram } from './programs.ts';

// In the package, so that the snippets import it by its name, as a user does.
const OUT = join(import.meta.dirname, '.out/snippets');

export const compiledFile = (name: string): string => join(OUT, 'js', `${name}.js`);

/** Compiles all programs at once, and returns what the compiler says of each: lines such as `docs/ttl.md:12 …`. */
export function compile(programs: readonly SnippetProgram[]): Map<string, string[]> {
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  const files = new Map(programs.map((program) => [join(OUT, `${program.name}.ts`), program]));
  for (const [file, { code }] of files) writeFileSync(file, code);
  const program = ts.createProgram([...files.keys()], options());
  program.emit();
  const found = new Map(programs.map(({ name }): [string, string[]] => [name, []]));
  for (const diagnostic of ts.getPreEmitDiagnostics(program)) {
    const snippets = files.get(diagnostic.file?.fileName ?? '');
    const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n');
    if (snippets === undefined || diagnostic.file === undefined)
      throw new Error(`${diagnostic.file?.fileName}: ${text}`);
    const { line } = diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start ?? 0);
    found.get(snippets.name)?.push(`${snippets.page}:${snippets.origins[line] ?? 'imports'} ${text}`);
  }
  return found;
}

/** The compiler options that the guide tells users to take, so that snippets compile with nothing else. */
function options(): ts.CompilerOptions {
  const guide = readFileSync(join(ROOT, 'docs/getting-started.md'), 'utf8');
  const tsconfig = /^```json\n([\s\S]*?)^```$/m.exec(guide)?.[1] ?? '';
  const { compilerOptions } = JSON.parse(tsconfig) as { compilerOptions: object };
  const { options } = ts.parseJsonConfigFileContent({ compilerOptions, files: ['x.ts'] }, ts.sys, ROOT);
  // Checking every declaration file takes three times as long; the long tests do it.
  const skipLibCheck = process.env.NORIMAKI_LONG === undefined;
  return { ...options, skipLibCheck, outDir: join(OUT, 'js'), rootDir: OUT };
}
