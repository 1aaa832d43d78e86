import { globSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './markdown.ts';

/** Examples and snippets import the package by its name, so they run what was built. Refuses a build that is old. */
export function requireBuild(): void {
  const built = statSync(join(ROOT, 'dist/index.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = globSync('src/**/*.ts', { cwd: ROOT, exclude: (name) => /\.test(-d)?\.ts$/.test(name) });
  const newer = sources.find((file) => statSync(join(ROOT, file)).mtimeMs > built);
  if (newer !== undefined) throw new Error(`${newer} is newer than the build: run \`npm run build\` first.`);
}
