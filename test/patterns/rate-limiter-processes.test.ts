import { expect, onTestFinished, test } from 'vitest';
import { serve } from '../../src/server/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { startChild } from '../embedded/support/child.ts';
import { temporaryFolder } from '../embedded/support/folder.ts';
import { isLong } from '../support/campaign.ts';

const PROCESSES = 8;
/** Of each process; together they ask for far more than is let through. */
const CALLS = isLong ? 400 : 12;

test('a limit holds across 8 processes on one folder, and over the wire, with clocks that jump back', {
  timeout: 180_000,
}, async () => {
  const { data } = await temporaryFolder();
  const server = await serve(memory(), { port: 0, insecure: true });
  onTestFinished(() => server.close({ grace: 0 }));
  const children = Array.from({ length: PROCESSES }, () => startChild('limiter', data, server.address, CALLS));
  for (const child of children) expect(await child.next()).toEqual({ ready: true });
  for (const child of children) {
    child.send('go');
    child.process.stdin?.end();
  }
  const ends = await Promise.all(children.map((child) => child.ended));
  expect(ends).toEqual(ends.map(() => ({ code: 0, signal: null, errors: '' })));
  const allowed = children.map(({ messages }) => (messages[1] as { allowed: [number, number] }).allowed);
  const sum = (at: 0 | 1): number => allowed.reduce((total, counts) => total + counts[at], 0);
  expect({ folder: sum(0), wire: sum(1) }).toEqual({ folder: 50, wire: 50 });
  // More than one process was let through, or nothing was shared.
  for (const at of [0, 1] as const) expect(allowed.filter((counts) => counts[at] > 0).length).toBeGreaterThan(1);
});
