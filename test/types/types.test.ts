import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');

// What must not compile stands below a @ts-expect-error, so that a compiler without complaints proves both. With legacy
// decorators the same files are part of `npm run check:types`.
test('the types hold with standard decorators', async () => {
  const config = join(import.meta.dirname, 'tsconfig.standard.json');
  const complaints = await run(process.execPath, [tsc, '-p', config, '--noEmit', '--pretty', 'false']).then(
    ({ stdout }) => stdout,
    (error: { stdout: string }) => error.stdout,
  );
  expect(complaints).toBe('');
});
