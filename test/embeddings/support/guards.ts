import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { expect } from 'vitest';

/** What holds something off in the code, and what stands there without it: expressions, or statements that end with `;`. */
export interface Guard {
  /** In `src`. */
  readonly file: string;
  readonly code: string;
  readonly without: string;
}

const SRC = fileURLToPath(new URL('../../../src/', import.meta.url));
const NODE_MODULES = fileURLToPath(new URL('../../../node_modules', import.meta.url));

/** Bundles a file of `test`, with all that it imports from us, into a folder from where it finds its packages. */
export async function bundle(entry: string, folder: string, guards: Readonly<Record<string, Guard>>): Promise<string> {
  await symlink(NODE_MODULES, join(folder, 'node_modules'));
  const outfile = join(folder, 'bundle.mjs');
  const entryPoints = [fileURLToPath(new URL(`../../${entry}`, import.meta.url))];
  const plugins = [switches(guards)];
  await build({ entryPoints, outfile, plugins, bundle: true, platform: 'node', format: 'esm', packages: 'external' });
  return outfile;
}

/** A bundle asks its global object for the guard that is taken out. */
const setGuardOut = (guardOut: string | undefined) => Object.assign(globalThis, { guardOut });

/** Runs a call of a bundle with one guard taken out. */
export async function without<T>(name: string, call: () => Promise<T>): Promise<T> {
  setGuardOut(name);
  try {
    return await call();
  } finally {
    setGuardOut(undefined);
  }
}

/** All guards are in one bundle, each with a switch: to bundle, load and warm up the code for each takes twice as long. */
function switches(guards: Readonly<Record<string, Guard>>): Plugin {
  return {
    name: 'switches',
    setup({ onLoad }) {
      onLoad({ filter: /\/src\/.*\.ts$/ }, async ({ path }) => {
        let contents = await readFile(path, 'utf8');
        for (const [name, { file, code, without }] of Object.entries(guards)) {
          if (path !== join(SRC, file)) continue;
          const [before = '', after, ...more] = contents.split(code);
          expect([typeof after, more.length], `${code} stands in ${file}, once`).toEqual(['string', 0]);
          const isOut = `globalThis.guardOut === ${JSON.stringify(name)}`;
          const either = code.endsWith(';')
            ? `if (${isOut}) { ${without} } else { ${code} }`
            : `(${isOut} ? ${without} : ${code})`;
          contents = before + either + after;
        }
        return { contents, loader: 'ts' };
      });
    },
  };
}
