import { readFileSync } from 'node:fs';
import { explain } from './explain.ts';
import { type Interruption, listenForInterruption } from './interruption.ts';
import { UsageError } from './usage-error.ts';

/** Runs a command that needs no config; resolves to the exit code, whatever happens. */
export async function runStandalone(
  isVerbose: boolean,
  work: (interruption: Interruption) => Promise<number>,
): Promise<number> {
  using interruption = listenForInterruption(() => {});
  try {
    return await work(interruption);
  } catch (error) {
    const { text, exitCode } = explain(error, isVerbose);
    process.stderr.write(`${text}\n`);
    return interruption.exitCode ?? exitCode;
  }
}

/** A file that an option names. Errors: `UsageError`. */
export function readOption(option: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new UsageError(`${option}: there is no file ${path} that can be read.`, { cause });
  }
}

/** The tokens in a file, one a line. Errors: `UsageError`, which shows none of them. */
export function readTokens(path: string): string[] {
  const tokens = readOption('--token-file', path)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (tokens.length === 0) throw new UsageError(`--token-file: ${path} holds no token. Write one a line.`);
  return tokens;
}
