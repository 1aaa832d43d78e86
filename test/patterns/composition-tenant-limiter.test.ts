import { expect, test } from 'vitest';
import { type ErrorCode, NorimakiError } from '../../src/index.ts';
import { fixedWindow, RateLimiter } from '../../src/patterns/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { manualClock, seededRandom } from '../../src/testing/index.ts';
import { START } from '../support/open.ts';
import { purged, startTenants } from './support/tenants.ts';

test('a limiter inside of a tenant: keys, counts and blocks are its own; it ends with the tenant, and counts for its quota', async () => {
  const trueClock = manualClock(START, { autoAdvance: true });
  const store = await memory().openStore({ clock: trueClock, random: seededRandom(1) });
  const processes = [
    await startTenants(store, { trueClock, seed: 1 }),
    await startTenants(store, { trueClock, seed: 20 }),
  ];
  const [{ tenants }] = processes as [(typeof processes)[0], ...typeof processes];
  await tenants.create('acme', { plan: 'tiny' });
  await tenants.create('globex', { plan: 'tiny' });
  const limiters = (id: string) =>
    Promise.all(
      processes.map(
        async (process) =>
          new RateLimiter(await process.tenants.db(id), {
            name: 'api',
            limits: [fixedWindow({ limit: 5, per: '1h' })],
          }),
      ),
    );
  const allowedOf = async (id: string): Promise<number> => {
    const all = await limiters(id);
    const decisions = await Promise.all(
      all.flatMap((limiter) => Array.from({ length: 6 }, () => limiter.consume('ip'))),
    );
    return decisions.filter(({ allowed }) => allowed).length;
  };
  // Both tenants have all of their own limit, over both processes.
  expect(await allowedOf('acme')).toBe(5);
  expect(await allowedOf('globex')).toBe(5);
  expect(await allowedOf('acme')).toBe(0);

  // Each key is a record, and a tenant has no more of them than its plan.
  const [limiter] = await limiters('globex');
  // What one of them was promised and did not need goes back when it is idle.
  await trueClock.advance(6_000);
  const outcomes: unknown[] = [];
  for (let i = 0; i < 8; i++) outcomes.push(await limiter?.consume(`ip ${i}`).catch((error: unknown) => error));
  const refused = outcomes.filter((one) => NorimakiError.is(one, 'tenant.quotaExceeded' satisfies ErrorCode));
  expect(refused).toHaveLength(4);

  const [old] = await limiters('acme');
  await purged(tenants, 'acme');
  await expect(old?.consume('ip')).rejects.toMatchObject({ code: 'tenant.unknown' });
  await tenants.create('acme', { plan: 'tiny' });
  expect(await allowedOf('acme')).toBe(5);
});
