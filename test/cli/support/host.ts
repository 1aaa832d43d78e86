// Runs commands one after the other, each as if this process were its own. Started by command.ts.
import type { Ended } from './command.ts';

export interface Call {
  readonly words: readonly string[];
  readonly cwd: string;
}

const [, , program = ''] = process.argv;
// That of the bundled package, which exists once the tests run.
const { run } = (await import(program)) as typeof import('../../../src/cli/program.ts');

process.on('message', async ({ words, cwd }: Call) => {
  process.chdir(cwd);
  process.exitCode = undefined;
  const [stdout, stderr] = [capture(process.stdout), capture(process.stderr)];
  await run(words);
  const ended: Ended = {
    exitCode: Number(process.exitCode ?? 0),
    signal: null,
    stdout: stdout.take(),
    stderr: stderr.take(),
  };
  process.send?.(ended);
});
process.on('disconnect', () => process.exit());
process.send?.('ready');

/** Keeps what is written instead of writing it. */
function capture(stream: NodeJS.WriteStream): { take(): string } {
  const { write } = stream;
  let written = '';
  stream.write = (chunk: string | Uint8Array) => {
    written += String(chunk);
    return true;
  };
  return {
    take: () => {
      stream.write = write;
      return written;
    },
  };
}
