import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { type Compiler, compilerOptions, compilers, type Settings } from './compilers.ts';

const run = promisify(execFile);
const here = import.meta.dirname;
const root = join(here, '../..');
const LIBRARY = /(?:\.\.\/)+src\/decorators\/index\.ts/g;

/** What a process said of the entities: which decorators ran, and the report. */
export interface Findings {
  readonly mode: string;
  readonly report: unknown;
}

/** A folder with the library as one file, in which entities are compiled and run. */
export class Workshop implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async open(): Promise<Workshop> {
    // Inside the tree, so that what is compiled finds the packages that it imports.
    await mkdir(join(root, 'node_modules/.cache'), { recursive: true });
    const workshop = new Workshop(await mkdtemp(join(root, 'node_modules/.cache/decorator-matrix-')));
    await bundle(join(root, 'src/decorators/index.ts'), workshop.#library);
    return workshop;
  }

  get #library(): string {
    return join(this.#folder, 'library.mjs');
  }

  /** Compiles the report and what it needs, each file by itself; returns the folder where they are. */
  async compile(compiler: Compiler, settings: Settings, ...more: readonly string[]): Promise<string> {
    const folder = await mkdtemp(join(this.#folder, `${compiler}-`));
    for (const file of ['entities/stored', 'entities/shop', 'report', ...more]) {
      const source = await readFile(join(here, `${file}.ts`), 'utf8');
      const local = source.replace(LIBRARY, this.#library).replace(/(from '\.[^']*)\.ts'/g, "$1.mjs'");
      const target = join(folder, `${file}.mjs`);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, compilers[compiler](local, settings));
    }
    return folder;
  }

  /** Bundles entities and library together, small. */
  async bundle(settings: Settings): Promise<string> {
    const target = join(await mkdtemp(join(this.#folder, 'bundle-')), 'report.mjs');
    await bundle(join(here, 'report.ts'), target, settings);
    return target;
  }

  /** A tsconfig for tsx, which goes by it for the files that it includes. */
  async tsconfig(settings: Settings): Promise<string> {
    const target = join(await mkdtemp(join(this.#folder, 'tsx-')), 'tsconfig.json');
    const options = { target: 'ES2022', module: 'NodeNext', ...compilerOptions(settings) };
    await writeFile(target, JSON.stringify({ compilerOptions: options, include: [`${root}/src`, `${root}/test`] }));
    return target;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return rm(this.#folder, { recursive: true, force: true });
  }
}

/** The source of the report, for tsx. */
export const REPORT_SOURCE = join(here, 'report.ts');

async function bundle(entry: string, outfile: string, settings?: Settings): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    packages: 'external',
    format: 'esm',
    target: 'node20',
    minify: settings !== undefined,
    keepNames: true,
    ...(settings && { tsconfigRaw: { compilerOptions: compilerOptions(settings) } }),
  });
}

/** Runs the compiled report in a process of its own. */
export async function findings(
  report: string,
  flags: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<Findings> {
  const show = 'console.log(JSON.stringify({ mode: mode(), report: report() }))';
  return JSON.parse(await output(`import { mode, report } from ${JSON.stringify(report)}; ${show}`, flags, env));
}

/** What a script prints. */
export async function output(
  script: string,
  flags: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  const options = { cwd: root, env: { ...process.env, ...env } };
  const { stdout } = await run(process.execPath, [...flags, '--input-type=module', '--eval', script], options);
  return stdout;
}
