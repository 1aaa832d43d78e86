import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './markdown.ts';

/** Examples and snippets import the package by its name, so they run what was built. Refuses a build that is old. */
export function requireBuild(): void {
  const built = statSync(join(ROOT, 'dist/index.js'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const files = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  const sources = files.filter((file) => file.endsWith('.ts') && !/\.test(-d)?\.ts$/.test(file));
  const newer = sources.find((file) => statSync(join(ROOT, 'src', file)).mtimeMs > built);
  if (newer !== undefined) throw new Error(`src/${newer} is newer than the build: run \`npm run build\` first.`);
}
