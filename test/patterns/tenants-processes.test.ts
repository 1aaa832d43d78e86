import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineEntity, open } from '../../src/index.ts';
import { Tenants } from '../../src/patterns/tenants/tenants.ts';
import { embedded } from '../../src/stores/embedded/index.ts';
import { startChild } from '../embedded/support/child.ts';
import { temporaryFolder } from '../embedded/support/folder.ts';

const PROCESSES = 8;
const LIMIT = 120;
const WRITES = 36;
const Note = defineEntity('note', z.object({ id: z.string() }), { id: 'id' });

test('8 processes write to one quota in one folder, two are killed: never more than the limit; reconciled, it is exact', async () => {
  const { data } = await temporaryFolder();
  await using db = await open(embedded({ path: data, durability: 'committed' }));
  const plans = { free: { keys: LIMIT } };
  const tenants = new Tenants(db, { name: 'saas', plans, policyTtl: '100ms', writeTimeout: '200ms', idle: '50ms' });
  await tenants.create('acme', { plan: 'free' });
  const children = Array.from({ length: PROCESSES }, (_, i) =>
    startChild('tenant-writer', data, `w${i}`, LIMIT, WRITES),
  );
  for (const child of children) expect(await child.next()).toEqual({ ready: true });
  for (const child of children) child.send('go');
  const [first, second, ...others] = children;
  // These two die in the middle of it.
  for (const child of [first, second]) {
    await child?.next();
    await child?.next();
    child?.process.kill('SIGKILL');
  }
  const notes = (await tenants.db('acme')).repo(Note);
  let most = 0;
  for (const child of others) child.process.stdin?.end();
  for (const child of others) {
    await child.next();
    most = Math.max(most, await notes.count());
  }
  const ends = await Promise.all(others.map((child) => child.ended));
  expect(ends).toEqual(ends.map(() => ({ code: 0, signal: null, errors: '' })));
  expect(most).toBeLessThanOrEqual(LIMIT);
  const stored = await notes.count();
  const finals = others.map(({ messages }) => messages.at(-1) as { created: number; deleted: number; refused: number });
  expect(finals.some(({ refused }) => refused > 0)).toBe(true);
  const sum = finals.reduce((total, { created, deleted }) => total + created - deleted, 0);
  expect(sum).toBeLessThanOrEqual(stored);
  // What the dead were promised is lost until it is counted; it is little.
  expect(stored).toBeGreaterThan(LIMIT * 0.7);
  expect((await tenants.usage('acme')).keys.used).toBeGreaterThanOrEqual(stored);
  expect((await tenants.reconcile('acme')).keys.used).toBe(stored);
  for (let i = stored; i < LIMIT; i++) await notes.create({ id: `last ${i}` });
  await expect(notes.create({ id: 'more' })).rejects.toMatchObject({ code: 'tenant.quotaExceeded' });
}, 60_000);
