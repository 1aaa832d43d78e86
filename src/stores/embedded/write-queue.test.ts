import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { NorimakiError } from '../../core/errors.ts';
import { systemClock, systemEnvironment } from '../../core/system.ts';
import { prepareFolder } from './folder.ts';
import { Gate } from './gate.ts';
import { META_VERSION } from './layout.ts';
import { newOwner } from './owner.ts';
import { PreparedPut } from './prepared.ts';
import type { Tables } from './tables.ts';
import { WriteQueue } from './write-queue.ts';

// What a disk does that fails in the middle, as lmdb-js tells it; no real disk does it on demand.

interface Disk {
  commitError?: Error & { code: number };
  isGivenUp?: boolean;
  lastVersion?: number;
}

async function queueOn(disk: Disk): Promise<WriteQueue> {
  const folder = await mkdtemp(join(tmpdir(), 'norimaki-queue-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const gate = new Gate(await prepareFolder(folder), newOwner('flushed'), systemEnvironment);
  gate.register();
  onTestFinished(() => gate.unregister());
  let version: Uint8Array = Buffer.alloc(8);
  const meta = {
    getBinaryFast: (key: Uint8Array) => {
      if (!META_VERSION.equals(key)) return undefined;
      if (disk.lastVersion !== undefined) version = Buffer.from([0, 0, 0, 0, 0, 0, 0, disk.lastVersion]);
      return version;
    },
    put: (_: Uint8Array, value: Uint8Array) => {
      version = value;
    },
  };
  const tables = {
    file: folder,
    lastVersion: () => {
      if (disk.isGivenUp) throw new Error('MDB_PANIC');
      return 0;
    },
    meta,
    changeTables: { meta },
    records: { getBinaryFast: () => undefined, put: () => {} },
    root: {
      transaction: async (action: () => void) => {
        const before = version;
        action();
        if (disk.commitError === undefined) return;
        const { commitError } = disk;
        version = before;
        throw Object.assign(new Error('Commit failed'), { commitError: Promise.reject(commitError) });
      },
    },
  };
  // A stand-in for a broken disk has only what the queue touches.
  return new WriteQueue(() => tables as unknown as Tables, gate, systemClock);
}

const put = (queue: WriteQueue): Promise<unknown> =>
  queue
    .submit((batch) => batch.apply([new PreparedPut(Buffer.from('a'), Buffer.alloc(0), {})], false), 0, undefined)
    .catch((error: unknown) => error);

const failure = (code: number): Error & { code: number } => Object.assign(new Error('failed'), { code });

test.each([28, 122, -30792])('no space (%i) is store.full', async (code) => {
  expect(NorimakiError.is(await put(await queueOn({ commitError: failure(code) })), 'store.full')).toBe(true);
});

test('any other failed commit wrote nothing, and the next may succeed', async () => {
  const disk: Disk = { commitError: failure(5) };
  const queue = await queueOn(disk);
  for (const error of await Promise.all([put(queue), put(queue)])) {
    expect(NorimakiError.is(error, 'store.unavailable') && error.details.applied).toBe('no');
  }
  delete disk.commitError;
  expect(await put(queue)).toBe('1.1');
});

test('a failed write of the meta page may have been applied; after it nothing is begun', async () => {
  const disk: Disk = { commitError: failure(5) };
  const queue = await queueOn(disk);
  const first = put(queue);
  disk.isGivenUp = false;
  await Promise.resolve();
  await Promise.resolve();
  disk.isGivenUp = true;
  const error = await first;
  expect(NorimakiError.is(error, 'store.unavailable') && error.details.applied).toBe('unknown');
  delete disk.commitError;
  const next = await put(queue);
  expect(NorimakiError.is(next, 'store.unavailable') && next.details.applied).toBe('no');
  expect(String(next)).toContain('open it again');
});

test('a version that goes back is noticed before anything is written on top of it', async () => {
  const disk: Disk = { lastVersion: 7 };
  const queue = await queueOn(disk);
  expect(await put(queue)).toBe('1.8');
  disk.lastVersion = 7;
  const error = await put(queue);
  expect(NorimakiError.is(error, 'store.unavailable') && error.details.applied).toBe('no');
  expect(String(error)).toContain('undid acknowledged writes');
});
