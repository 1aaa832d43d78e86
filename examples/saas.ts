// A service with customers: plans, a quota that says no, a suspension, billing across all of them, and a customer who
// leaves.
import { defineEntity, NorimakiError, open } from 'norimaki';
import { Counter, Tenants } from 'norimaki/patterns';
import { memory } from 'norimaki/stores/memory';
import { z } from 'zod';

const Invoice = defineEntity('invoice', z.object({ id: z.string(), total: z.number() }), { id: 'id' });

await using db = await open(memory());
await using tenants = new Tenants(db, {
  name: 'saas',
  plans: { free: { keys: 3, bytes: '10kB' }, pro: { keys: 100_000 } },
  // So that this program does not take long; the defaults are a second and half a minute.
  policyTtl: '50ms',
  writeTimeout: '100ms',
});

// Two customers. What one stores the other cannot see.
await tenants.create('acme', { plan: 'free' });
await tenants.create('globex', { plan: 'pro' });
const acme = await tenants.db('acme');
const globex = await tenants.db('globex');
await acme.repo(Invoice).create({ id: '2026-1', total: 100 });
await globex.repo(Invoice).create({ id: '2026-1', total: 999 });
console.log('invoice 2026-1 of acme:', (await acme.repo(Invoice).get('2026-1'))?.total);

// Blocks take the handle of a tenant as they take a database; what they store counts, too.
await new Counter(acme, { name: 'visits', shards: 1 }).add();

// The free plan is full: the counter has a head and a shard.
try {
  await acme.repo(Invoice).create({ id: '2026-2', total: 50 });
} catch (error) {
  if (!NorimakiError.is(error, 'tenant.quotaExceeded')) throw error;
  const { metric, limit, used } = error.details;
  console.log(`no room for another invoice: ${used} of ${limit} ${metric}`);
}

// They pay, and may go on within policyTtl.
await tenants.setPlan('acme', 'pro');
await db.environment.clock.sleep(50);
await acme.repo(Invoice).create({ id: '2026-2', total: 50 });
const { keys } = await tenants.usage('acme');
console.log(`acme has ${keys.used} of ${keys.limit} records`);

// They stop paying: they may read and not write.
await tenants.suspend('acme', { reads: true });
await db.environment.clock.sleep(50);
const refusal = await acme
  .repo(Invoice)
  .delete('2026-1')
  .catch((error: NorimakiError) => error.code);
console.log(`acme deletes an invoice: ${refusal}; it has ${await acme.repo(Invoice).count()}`);

// Billing looks into all of them, and that is recorded.
const bills = await tenants.across({ reason: 'billing of January', actor: 'cron' }, async (tenant) => {
  let sum = 0;
  for await (const { total } of tenant.repo(Invoice).scan()) sum += total;
  return sum;
});
for (const bill of bills) console.log(`bill of ${bill.tenant}:`, bill.ok ? bill.value : bill.error);
for await (const { actor, reason, done } of tenants.audits()) console.log(`${actor}: ${reason}, ${done} tenants`);

// They leave, and take their data with them.
const lines: string[] = [];
for await (const line of tenants.export('acme')) lines.push(line);
for await (const { stage } of tenants.purge('acme', { confirm: 'acme' })) {
  if (stage === 'unreachable') console.log('acme: no handle of any process reaches it any more');
  if (stage === 'done') console.log('acme: nothing of it is left');
}
console.log(
  'the old handle:',
  await acme
    .repo(Invoice)
    .count()
    .catch((error: NorimakiError) => error.code),
);

// And come back, elsewhere.
await tenants.import('acme-again', lines, { plan: 'pro' });
console.log('imported invoices:', await (await tenants.db('acme-again')).repo(Invoice).count());
