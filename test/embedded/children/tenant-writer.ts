import { z } from 'zod';
import { defineEntity, NorimakiError, open } from '../../../src/index.ts';
import { Tenants } from '../../../src/patterns/tenants/tenants.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { hear, tell } from './talk.ts';

// tenant-writer <path> <name> <limit> <writes>: writes to the quota of a tenant that others write to as well. Reports how
// many records were acknowledged and refused.

const [path = '', name = '', limit = '0', writes = '0'] = process.argv.slice(2);
const Note = defineEntity('note', z.object({ id: z.string() }), { id: 'id' });
const db = await open(embedded({ path, durability: 'committed' }));
const tenants = new Tenants(db, { name: 'saas', plans: { free: { keys: Number(limit) } }, policyTtl: '100ms' });
const notes = (await tenants.db('acme')).repo(Note);
tell({ ready: true });
await hear();
let created = 0;
let deleted = 0;
let refused = 0;
for (let i = 0; i < Number(writes); i++) {
  try {
    await notes.create({ id: `${name}/${i}` }, { retry: { maxAttempts: 1000 } });
    created++;
    // Some go again, so that others find room.
    if (i % 3 === 0 && (await notes.delete(`${name}/${i}`))) deleted++;
  } catch (error) {
    if (!NorimakiError.is(error, 'tenant.quotaExceeded')) throw error;
    refused++;
  }
  if (i % 10 === 0) tell({ created });
}
await tenants.close();
await db.close();
tell({ created, deleted, refused });
