import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, test } from 'vitest';

const ENTRY = `
import { parentPort, workerData } from 'node:worker_threads';
import { serve } from './serve.ts';
serve(parentPort, workerData, () => process.exit());
`;

const HEAD = `// Made of the files in worker/: change those, then run \`npx vitest run src/stores/embedded/ann/worker-source.test.ts -u\`.

/** The program of the worker thread, as CommonJS in one piece. */
export const WORKER_SOURCE = \``;

test('the text of the worker is what its files make', async () => {
  const resolveDir = fileURLToPath(new URL('./worker', import.meta.url));
  const { outputFiles } = await build({
    stdin: { contents: ENTRY, resolveDir, sourcefile: 'entry.ts', loader: 'ts' },
    bundle: true,
    write: false,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
  });
  const text = (outputFiles[0]?.text ?? '').replace(/[\\`]|\$\{/g, '\\$&');
  await expect(`${HEAD}\n${text}\`;\n`).toMatchFileSnapshot('./worker-source.ts');
});
