import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { NorimakiError } from '../../core/errors.ts';
import { systemEnvironment } from '../../core/system.ts';
import { manualClock } from '../../testing/manual-clock.ts';
import { seededRandom } from '../../testing/seeded-random.ts';
import { prepareFolder } from './folder.ts';
import { Gate } from './gate.ts';
import { newOwner, ownerName } from './owner.ts';

async function newFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'norimaki-gate-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return prepareFolder(path);
}

const newGate = (folder: string): Gate => new Gate(folder, newOwner('flushed'), systemEnvironment);

test('one at a time holds the gate, however many come', async () => {
  const folder = await newFolder();
  let holders = 0;
  const turns = Array.from({ length: 12 }, async () => {
    const release = await newGate(folder).take('open');
    expect(++holders).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 2));
    holders -= 1;
    release();
  });
  await Promise.all(turns);
  expect(await readdir(join(folder, 'gate'))).toEqual([]);
});

test('nobody writes while the gate is held, and nobody holds it while somebody writes', async () => {
  const folder = await newFolder();
  const [writer, other] = [newGate(folder), newGate(folder)];
  writer.register();
  expect(writer.enter()).toBe(true);
  let taken = false;
  const taking = other.take('open').then((release) => {
    taken = true;
    return release;
  });
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(taken).toBe(false);
  writer.leave();
  const release = await taking;
  expect(writer.enter()).toBe(false);
  let open = false;
  const waiting = writer.whenOpen().then(() => {
    open = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(open).toBe(false);
  release();
  await waiting;
  expect(writer.enter()).toBe(true);
  writer.leave();
  writer.unregister();
  expect(await readdir(join(folder, 'openers'))).toEqual([]);
});

test('who died at the gate or while writing holds nobody up', async () => {
  const folder = await newFolder();
  const dead = ownerName({ ...newOwner('flushed'), start: '1' });
  await writeFile(join(folder, 'gate', `open.${dead}`), '');
  await writeFile(join(folder, 'gate', 'stray'), '');
  await writeFile(join(folder, 'openers', dead), '');
  await truncate(join(folder, 'openers', dead), 1);
  const gate = newGate(folder);
  const release = await gate.take('compact');
  expect(gate.others()).toEqual([]);
  release();
  expect(await readdir(join(folder, 'openers'))).toEqual([]);
});

test('patience ends after 30 seconds, with a sentence that says where to look', async () => {
  const folder = await newFolder();
  const clock = manualClock(0, { autoAdvance: true });
  const release = await newGate(folder).take('compact');
  const gate = new Gate(folder, newOwner('flushed'), { clock, random: seededRandom(1) });
  for (const wait of [gate.take('open'), gate.whenOpen()]) {
    const error = await wait.catch((reason: unknown) => reason);
    expect(NorimakiError.is(error, 'store.unavailable') && error.details.applied).toBe('no');
    expect(String(error)).toContain(join(folder, 'gate'));
  }
  expect(clock.mono()).toBeGreaterThan(30_000);
  release();
  const writer = newGate(folder);
  writer.register();
  writer.enter();
  const error = await gate.take('open').catch((reason: unknown) => reason);
  expect(NorimakiError.is(error, 'store.unavailable')).toBe(true);
  expect(await readdir(join(folder, 'gate'))).toEqual([]);
  writer.unregister();
});

test('a store waits for its own compaction as long as it takes', async () => {
  const folder = await newFolder();
  const clock = manualClock(0, { autoAdvance: true });
  const gate = new Gate(folder, newOwner('flushed'), { clock, random: seededRandom(1) });
  const release = await gate.take('compact');
  const waiting = gate.whenOpen();
  while (clock.mono() < 100_000) await new Promise((resolve) => setImmediate(resolve));
  release();
  await waiting;
});
