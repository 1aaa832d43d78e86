import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compilers, type Settings } from './compilers.ts';
import { report } from './report.ts';

const run = promisify(execFile);
const here = import.meta.dirname;
const root = join(here, '../..');
// Inside the tree, so that the compiled files find the packages that they import.
let scratch: string;

beforeAll(async () => {
  await mkdir(join(root, 'node_modules/.cache'), { recursive: true });
  scratch = await mkdtemp(join(root, 'node_modules/.cache/decorator-matrix-'));
  await build({
    entryPoints: [join(root, 'src/decorators/index.ts')],
    outfile: join(scratch, 'library.mjs'),
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
  });
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

const LIBRARY = /'[./]+\/src\/decorators\/index\.ts'/g;

/** Compiles each file of the entities by itself, against the library as a bundle. */
async function compileAll(name: keyof typeof compilers, settings: Settings): Promise<string> {
  const folder = await mkdtemp(join(scratch, `${name.replaceAll(' ', '-')}-`));
  await mkdir(join(folder, 'entities'));
  const files = ['entities/stored', 'entities/shop', 'report'];
  for (const file of files) {
    const source = await readFile(join(here, `${file}.ts`), 'utf8');
    const local = source.replace(LIBRARY, "'LIBRARY'").replace(/(from '\.[^']*)\.ts'/g, "$1.mjs'");
    const code = compilers[name](local, settings).replaceAll('LIBRARY', join(scratch, 'library.mjs'));
    await writeFile(join(folder, `${file}.mjs`), code);
  }
  return join(folder, 'report.mjs');
}

/** The report, made by another process. */
async function reportOf(file: string, flags: readonly string[] = []): Promise<unknown> {
  const script = `import { report } from ${JSON.stringify(file)}; console.log(JSON.stringify(report()));`;
  const { stdout } = await run(process.execPath, [...flags, '--input-type=module', '--eval', script], { cwd: root });
  return JSON.parse(stdout);
}

const compiled = (['tsc', 'esbuild', 'swc'] as const).flatMap((compiler) =>
  (['legacy', 'standard'] as const).flatMap((mode) =>
    [true, false].map((useDefineForClassFields) => ({ compiler, mode, useDefineForClassFields })),
  ),
);

test('vitest, legacy: the models are as declared', async () => {
  await expect(`${JSON.stringify(report(), undefined, 2)}\n`).toMatchFileSnapshot('./report.json');
});

test.concurrent.each(compiled)(
  '$compiler, $mode, useDefineForClassFields $useDefineForClassFields: the same models',
  async ({ compiler, ...settings }) => {
    expect(await reportOf(await compileAll(compiler, settings))).toEqual(report());
  },
);
