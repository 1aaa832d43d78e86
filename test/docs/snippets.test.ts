import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { requireBuild } from './build.ts';
import { compile, compiledFile } from './compile.ts';
import { readPages } from './markdown.ts';
import { programsOf } from './programs.ts';
import type { Run } from './run.ts';

const programs = readPages().flatMap(programsOf);
let diagnostics: Map<string, string[]>;
const runs = new Map<string, Run>();

beforeAll(async () => {
  requireBuild();
  diagnostics = compile(programs);
  const files = programs.filter(({ runs }) => runs).map(({ name }) => compiledFile(name));
  const child = fork(join(import.meta.dirname, 'run.ts'), files, { execArgv: ['--import', 'tsx'] });
  child.on('message', (run: Run) => runs.set(run.file, run));
  await once(child, 'exit');
});

const titled = (list: typeof programs) => list.map((program) => [`${program.page}:${program.line}`, program] as const);

test.each(titled(programs))('%s compiles', (_, { name }) => {
  expect(diagnostics.get(name)).toEqual([]);
});

test.each(titled(programs.filter(({ runs }) => runs)))(
  '%s runs, and prints what it says',
  (_, { name, page, prints }) => {
    const run = runs.get(compiledFile(name));
    if (run === undefined) throw new Error(`${page} ended the process that runs the snippets.`);
    expect(run.error).toBeUndefined();
    const shown = run.printed.map((line) => line.trim());
    let from = 0;
    for (const text of prints) {
      const at = shown.indexOf(text, from);
      expect(at, `${page} says it prints "${text}"; it printed\n${shown.join('\n')}`).toBeGreaterThanOrEqual(0);
      from = at + 1;
    }
  },
);
