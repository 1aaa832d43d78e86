import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { isAlive, isThisProcess, newOwner, ownerName, ownerOf } from './owner.ts';

test('a name tells its owner, whatever stands before it', () => {
  const owner = newOwner('flushed');
  expect(ownerOf(`compact.${ownerName(owner)}`)).toEqual(owner);
  expect(ownerOf('notes.txt')).toBeUndefined();
  expect(ownerName(newOwner('flushed'))).not.toBe(ownerName(owner));
});

test('this process lives, and what only looks like it does not', () => {
  const owner = newOwner('committed');
  expect(isAlive(owner)).toBe(true);
  expect(isThisProcess(owner)).toBe(true);
  // The pid was given out again, after a restart of the machine or of nothing but the process.
  expect(isAlive({ ...owner, boot: '00000000' })).toBe(false);
  expect(isAlive({ ...owner, start: '1' })).toBe(false);
  expect(isThisProcess({ ...owner, start: '1' })).toBe(false);
});

test('a process of another container may be alive, whatever its pid says here', () => {
  const owner = newOwner('flushed');
  expect(isAlive({ ...owner, namespace: '1', pid: 4_194_000, start: '1' })).toBe(true);
  expect(isThisProcess({ ...owner, namespace: '1' })).toBe(false);
});

test('a process that was killed is dead, also while its parent takes no note', async () => {
  // The shell becomes a sleep, which never asks after the child that it inherits.
  const parent = spawn('sh', ['-c', 'sleep 100 & echo $!; exec sleep 100'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = await once(parent.stdout, 'data');
  const pid = Number(String(line));
  // As long as it is a shell it does ask.
  while (readFileSync(`/proc/${parent.pid}/comm`, 'utf8') !== 'sleep\n') await new Promise(setImmediate);
  process.kill(pid, 'SIGKILL');
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(() => process.kill(pid, 0), 'the killed process is still listed').not.toThrow();
  expect(isAlive({ ...newOwner('flushed'), pid })).toBe(false);
  parent.kill();
  await once(parent, 'close');
  expect(isAlive({ ...newOwner('flushed'), pid: parent.pid ?? 0 })).toBe(false);
});
