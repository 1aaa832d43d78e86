import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { quickPackages } from './quick-packages.ts';

const SOURCES = join(import.meta.dirname, '../embedded/children');

/** The scripts of `test/embedded/children` as plain JavaScript. In the package, so that they find what they import. */
export const CHILDREN = join(import.meta.dirname, '../.children');

/** Bundles the scripts, before the tests that start them: to start tsx for every process would take most of the time. */
export async function setup(): Promise<void> {
  await quickPackages(CHILDREN);
  await build({
    entryPoints: readdirSync(SOURCES).map((name) => join(SOURCES, name)),
    outdir: CHILDREN,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  });
}
