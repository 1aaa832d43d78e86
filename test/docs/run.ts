// Runs compiled snippets one after the other, each in a folder of its own, and tells the parent what each printed and
// how it ended. Started by snippets.test.ts.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';

export interface Run {
  readonly file: string;
  readonly printed: readonly string[];
  readonly error?: string | undefined;
}

for (const file of process.argv.slice(2)) {
  const folder = await mkdtemp(join(tmpdir(), 'norimaki-docs-'));
  process.chdir(folder);
  const printed: string[] = [];
  console.log = (...words) => void printed.push(...format(...words).split('\n'));
  let error: string | undefined;
  try {
    await import(pathToFileURL(file).href);
  } catch (thrown) {
    error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  }
  process.chdir(tmpdir());
  await rm(folder, { recursive: true, force: true });
  const run: Run = { file, printed, error };
  await new Promise((sent) => process.send?.(run, sent));
}
// A snippet need not close what it opened.
process.exit();
