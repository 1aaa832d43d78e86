import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { afterAll } from 'vitest';

const CHILDREN = fileURLToPath(new URL('../children/', import.meta.url));
const NODE_MODULES = fileURLToPath(new URL('../../../node_modules', import.meta.url));

let bundles: string | undefined;

afterAll(() => {
  if (bundles !== undefined) rmSync(bundles, { recursive: true, force: true });
});

/** The child script as plain JavaScript: starting tsx for every process would take most of the time. */
function bundle(name: string): string {
  if (bundles === undefined) {
    const folder = mkdtempSync(join(tmpdir(), 'norimaki-children-'));
    symlinkSync(NODE_MODULES, join(folder, 'node_modules'));
    bundles = folder;
  }
  const outfile = join(bundles, `${name}.mjs`);
  buildSync({
    entryPoints: [join(CHILDREN, `${name}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
  });
  return outfile;
}

const built = new Map<string, string>();

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
export function startOnSmallDisk(name: string, path: string, size: number): Child {
  const command = 'mount -t tmpfs -o size="$1" tmpfs "$2" && exec "$3" "$4" "$2"';
  const parameters = [String(size), path, process.execPath, scriptOf(name)];
  return start('unshare', ['--map-root-user', '--mount', 'sh', '-c', command, 'sh', ...parameters]);
}

function scriptOf(name: string): string {
  const script = built.get(name) ?? bundle(name);
  built.set(name, script);
  return script;
}

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
