import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import { COMMAND, HOST, PROGRAM } from '../../support/bundled-package.ts';
import type { Call } from './host.ts';

export interface Ended {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly process: ChildProcess;
  /** Resolves once stderr has this text. */
  says(text: string): Promise<void>;
  readonly ended: Promise<Ended>;
}

interface CommandOptions {
  readonly cwd: string;
  /** Of Node itself. */
  readonly execArgv?: readonly string[];
  /** Its file; by default that of the bundled package. */
  readonly command?: string;
}

/** Starts the built command, in a process of its own. */
export function start(words: readonly string[], { cwd, execArgv = [], command = COMMAND }: CommandOptions): Running {
  const child = spawn(process.execPath, [...execArgv, command, ...words], {
    cwd,
    stdio: 'pipe',
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const ended = once(child, 'close').then(([exitCode, signal]): Ended => ({ exitCode, signal, stdout, stderr }));
  const says = async (text: string): Promise<void> => {
    while (!stderr.includes(text)) {
      const chunk = once(child.stderr, 'data');
      const end = ended.then((so) => {
        throw new Error(`It ended and never said "${text}": ${JSON.stringify(so)}`);
      });
      await Promise.race([chunk, end]);
      end.catch(() => {});
    }
  };
  return { process: child, says, ended };
}

export function run(words: readonly string[], options: CommandOptions): Promise<Ended> {
  return start(words, options).ended;
}

let host: Promise<ChildProcess> | undefined;
let last: Promise<unknown> = Promise.resolve();

/** The same in a process that runs others before and after it: a process of its own would only take time. */
export function call(words: readonly string[], { cwd }: Pick<CommandOptions, 'cwd'>): Promise<Ended> {
  const ended = last.then(() => callNow({ words, cwd }));
  last = ended.catch(() => {});
  return ended;
}

async function callNow(call: Call): Promise<Ended> {
  host ??= startHost();
  const child = await host;
  const answer = nextMessage(child);
  child.send(call);
  return (await answer) as Ended;
}

/** Ends with the process of the tests, and does not hold it up. */
async function startHost(): Promise<ChildProcess> {
  const child = fork(HOST, [PROGRAM], { execArgv: [] });
  await nextMessage(child);
  child.unref();
  child.channel?.unref();
  return child;
}

async function nextMessage(child: ChildProcess): Promise<unknown> {
  const waiting = new AbortController();
  const { signal } = waiting;
  try {
    const exit = once(child, 'exit', { signal }).then(([code]) => {
      host = undefined;
      throw new Error(`A command ended the process that runs several, with code ${code}.`);
    });
    const [message] = await Promise.race([once(child, 'message', { signal }), exit]);
    return message;
  } finally {
    waiting.abort();
  }
}
