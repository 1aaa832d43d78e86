import { readFileSync, readlinkSync } from 'node:fs';
import { threadId } from 'node:worker_threads';

/** When an acknowledged write is safe; see `EmbeddedOptions`. */
export type Durability = 'flushed' | 'committed';

/**
 * Who holds a file in the folder, told by the file's name alone: a name can be written when the disk is full, is
 * there at once or not at all, and is never shared, so that whoever finds its owner dead can remove it safely.
 */
export interface Owner {
  readonly pid: number;
  /** Start time of the process, against reuse of its pid; `'0'` where the system does not tell. */
  readonly start: string;
  readonly boot: string;
  /** The pid namespace: pids of another container mean nothing here. */
  readonly namespace: string;
  readonly serial: string;
  readonly durability: Durability;
}

let opened = 0;

/** A fresh owner for a store that this process is about to open. */
export function newOwner(durability: Durability): Owner {
  opened += 1;
  return { ...thisProcess(), serial: `${threadId}-${opened}`, durability };
}

export function ownerName({ pid, start, boot, namespace, serial, durability }: Owner): string {
  return [pid, start, boot, namespace, serial, durability].join('.');
}

const NAME = /(\d+)\.(\d+)\.(\w+)\.(\w+)\.(\d+-\d+)\.(flushed|committed)$/;

/** The owner in the name of a file, whatever comes before it. */
export function ownerOf(name: string): Owner | undefined {
  const match = NAME.exec(name);
  if (match === null) return undefined;
  const [, pid, start = '', boot = '', namespace = '', serial = '', durability] = match;
  return { pid: Number(pid), start, boot, namespace, serial, durability: durability as Durability };
}

/** In doubt alive: what a live owner relies on must not be taken away. */
export function isAlive(owner: Owner): boolean {
  const here = thisProcess();
  if (owner.boot !== here.boot) return false;
  if (owner.namespace !== here.namespace) return true;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
  }
  return startOf(owner.pid) === owner.start;
}

export function isThisProcess(owner: Owner): boolean {
  const here = thisProcess();
  return owner.pid === here.pid && owner.start === here.start && owner.namespace === here.namespace;
}

let self: Pick<Owner, 'pid' | 'start' | 'boot' | 'namespace'> | undefined;

function thisProcess(): Pick<Owner, 'pid' | 'start' | 'boot' | 'namespace'> {
  self ??= {
    pid: process.pid,
    start: startOf(process.pid),
    boot: told(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8)),
    namespace: told(() => readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')),
  };
  return self;
}

/** Field 22 of `/proc/<pid>/stat`; the second field is a name in brackets that may hold anything. */
function startOf(pid: number): string {
  return told(() => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A process that was killed stays as a zombie until its parent takes note, which may be never.
    return 'ZX'.includes(fields[0] ?? '') ? 'dead' : (fields[19] ?? '0');
  });
}

/** What Linux tells in `/proc`, or `'0'` on a system that has none: the pid alone has to do there. */
function told(read: () => string): string {
  try {
    return read();
  } catch {
    return '0';
  }
}
