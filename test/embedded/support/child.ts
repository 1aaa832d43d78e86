import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { CHILDREN } from '../../support/bundled-children.ts';

export interface Child {
  readonly process: ChildProcess;
  /** What it has written so far, one message a line. */
  readonly messages: unknown[];
  /** The next message that was not taken yet. */
  next(): Promise<unknown>;
  send(message: string): void;
  /** Resolves when it has ended and all it wrote was read. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; errors: string }>;
}

/** Starts a script of `children/` in a process of its own. */
export function startChild(name: string, ...parameters: (string | number)[]): Child {
  return start(process.execPath, [scriptOf(name), ...parameters.map(String)]);
}

/** The same, on a disk of its own of so many bytes, mounted at `path` for that process alone; needs no root. */
export function startOnSmallDisk(name: string, path: string, size: number, ...more: string[]): Child {
  const command = 'mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@"';
  const parameters = [String(size), path, process.execPath, scriptOf(name), path, ...more];
  return start('unshare', ['--map-root-user', '--mount', 'sh', '-c', command, 'sh', ...parameters]);
}

const scriptOf = (name: string): string => join(CHILDREN, `${name}.mjs`);

function start(command: string, parameters: string[]): Child {
  const child = spawn(command, parameters, { stdio: 'pipe' });
  const messages: unknown[] = [];
  const waiting: ((message: unknown) => void)[] = [];
  let taken = 0;
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    // A process that is killed may leave half a line: nothing that it acknowledged.
    if (!line.endsWith('}')) return;
    messages.push(JSON.parse(line));
    waiting.shift()?.(messages[taken++]);
  });
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += String(chunk);
  });
  const ended = Promise.all([once(child, 'close'), once(lines, 'close')]).then(([[code, signal]]) => ({
    code,
    signal,
    errors,
  }));
  return {
    process: child,
    messages,
    next: () =>
      taken < messages.length
        ? Promise.resolve(messages[taken++])
        : Promise.race([
            new Promise((resolve) => waiting.push(resolve)),
            ended.then((end) => {
              throw new Error(`The child ended early: ${JSON.stringify(end)}`);
            }),
          ]),
    send: (message) => child.stdin.write(`${message}\n`),
    ended,
  };
}
