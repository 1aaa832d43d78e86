import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { quickPackages } from '../support/quick-packages.ts';
import { type Compiler, compilerOptions, compilers, type Settings } from './compilers.ts';

const run = promisify(execFile);
const here = import.meta.dirname;
const root = join(here, '../..');
/** The report and what it imports. */
const FILES = ['entities/stored', 'entities/shop', 'report'];
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
    await quickPackages(workshop.#folder);
    return workshop;
  }

  get #library(): string {
    return join(this.#folder, 'library.mjs');
  }

  /** Compiles the report and what it needs, each file by itself; returns the folder where they are. */
  async compile(compiler: Compiler, settings: Settings, ...more: readonly string[]): Promise<string> {
    const folder = await mkdtemp(join(this.#folder, `${compiler}-`));
    for (const file of [...FILES, ...more]) {
      const local = (await this.#sourceOf(file)).replace(/(from '\.[^']*)\.ts'/g, "$1.mjs'");
      await write(join(folder, `${file}.mjs`), compilers[compiler](local, settings));
    }
    return folder;
  }

  /** The report and what it needs as they are, with a tsconfig for tsx; returns the folder where they are. */
  async sources(settings: Settings): Promise<string> {
    const folder = await mkdtemp(join(this.#folder, 'tsx-'));
    for (const file of FILES) await write(join(folder, `${file}.ts`), await this.#sourceOf(file));
    const options = { target: 'ES2022', module: 'NodeNext', ...compilerOptions(settings) };
    await write(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
    await write(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options }));
    return folder;
  }

  /** Bundles entities and library together, small. */
  async bundle(settings: Settings): Promise<string> {
    const target = join(await mkdtemp(join(this.#folder, 'bundle-')), 'report.mjs');
    await bundle(join(here, 'report.ts'), target, settings);
    return target;
  }

  /** The source of a file, for this library. */
  async #sourceOf(file: string): Promise<string> {
    return (await readFile(join(here, `${file}.ts`), 'utf8')).replace(LIBRARY, this.#library);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return rm(this.#folder, { recursive: true, force: true });
  }
}

async function write(target: string, content: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, content);
}

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
