import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { requireBuild } from '../docs/build.ts';
import { ROOT } from '../docs/markdown.ts';
import { quickPackages } from './quick-packages.ts';

/**
 * Programs in this folder import the built package by its name, as a user's do, and find it bundled into few files: to
 * load its 250 takes a third of the time of a short process.
 */
export const PROGRAMS = join(ROOT, 'test/.programs');

const HOME = join(PROGRAMS, 'node_modules/norimaki');

/** The command of the bundled package. */
export const COMMAND = join(HOME, 'dist/cli/main.js');

/** What `norimaki` runs, for a process that runs it several times. */
export const PROGRAM = join(HOME, 'dist/cli/program.js');

/** Such a process. */
export const HOST = join(PROGRAMS, 'host.js');

/** Bundles the package, before the tests that run it. */
export async function setup(): Promise<void> {
  try {
    requireBuild();
  } catch {
    // The tests that need a build say so themselves.
    return;
  }
  await rm(PROGRAMS, { recursive: true, force: true });
  await mkdir(HOME, { recursive: true });
  await quickPackages(PROGRAMS);
  // Of no name: to files below the root the name of the package would mean what stands there.
  await writeFile(join(PROGRAMS, 'package.json'), JSON.stringify({ type: 'module' }));
  await cp(join(ROOT, 'package.json'), join(HOME, 'package.json'));
  const { exports, peerDependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    exports: Record<string, string | { default: string }>;
    peerDependencies: Record<string, string>;
  };
  const entries = Object.values(exports).flatMap((entry) => (typeof entry === 'string' ? [] : [entry.default]));
  await build({
    entryPoints: [...entries, 'dist/cli/main.js', 'dist/cli/program.js'].map((entry) => join(ROOT, entry)),
    outbase: join(ROOT, 'dist'),
    outdir: join(HOME, 'dist'),
    bundle: true,
    splitting: true,
    // As deep as the files they come from, one of which reads package.json.
    chunkNames: 'chunks/[hash]',
    external: Object.keys(peerDependencies),
    // Some of its dependencies are CommonJS, and require what Node brings.
    banner: {
      js: "import { createRequire as requireFor } from 'node:module'; const require = requireFor(import.meta.url);",
    },
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });
  await build({
    entryPoints: [join(ROOT, 'test/cli/support/host.ts')],
    outfile: HOST,
    platform: 'node',
    format: 'esm',
    target: 'node20',
  });
}
