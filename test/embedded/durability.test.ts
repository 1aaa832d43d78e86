import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { startChild } from './support/child.ts';
import { temporaryFolder } from './support/folder.ts';

const O_DSYNC = 0o10000;

/** Debian's `strace`; CI installs it, so there nothing is skipped. */
const isMissing = spawnSync('strace', ['-V']).error !== undefined && process.env.CI === undefined;

/** What a process asks of the system for one write, in order, up to its acknowledgement. */
async function systemCallsOfAPut(durability: string): Promise<string[]> {
  const { path, data } = await temporaryFolder('disk');
  const peer = startChild('peer', data, durability);
  await peer.next();
  const { pid } = peer.process;
  const trace = `${path}/trace`;
  const strace = spawn('strace', [
    '-f',
    '-p',
    String(pid),
    '-e',
    'trace=fdatasync,pwrite64,pwritev,write',
    '-o',
    trace,
  ]);
  await once(strace.stderr, 'data');
  peer.send('put a 1');
  await peer.next();
  const calls: string[] = [];
  for (const line of (await readFile(trace, 'utf8')).split('\n')) {
    // A call that another thread interrupts is told when it ends.
    const call = /^\d+ +(?:<\.\.\. )?(\w+)(?:\((\d+))?/.exec(line);
    if (call === null || line.endsWith('<unfinished ...>')) continue;
    const [, name = '', file = ''] = call;
    if (name === 'fdatasync') calls.push('sync');
    if (name === 'pwrite64' && line.includes(', 128, '))
      calls.push((await isSynchronous(pid, file)) ? 'meta+sync' : 'meta');
    if (name === 'write' && line.includes('version')) calls.push('acknowledge');
  }
  peer.send('end');
  await peer.ended;
  return calls;
}

async function isSynchronous(pid: number | undefined, file: string): Promise<boolean> {
  const flags = /flags:\s+(\d+)/.exec(await readFile(`/proc/${pid}/fdinfo/${file}`, 'utf8'))?.[1] ?? '0';
  return (Number.parseInt(flags, 8) & O_DSYNC) !== 0;
}

test.skipIf(isMissing)('a flushed write is acknowledged after its pages and its meta page are on disk', async () => {
  expect(await systemCallsOfAPut('flushed')).toEqual(['sync', 'meta+sync', 'acknowledge']);
});

test.skipIf(isMissing)(
  'a committed write is acknowledged after its pages are on disk: a loss of power may undo it, not break it',
  async () => {
    expect(await systemCallsOfAPut('committed')).toEqual(['sync', 'meta', 'acknowledge']);
  },
);
