// One store, many customers. A handle scoped to a tenant cannot reach another one's records, and the compiler helps.
import { Entity, Field, Id, NorimakiError, open, type TenantId, TenantScoped, Unique } from 'norimaki';
import { Counter } from 'norimaki/patterns';
import { memory } from 'norimaki/stores/memory';
import { z } from 'zod';

@Entity('user')
@TenantScoped()
class User {
  @Id() id!: Id<string>;
  @Field(z.email()) @Unique() email!: string;
  readonly tenant!: TenantId;
}

await using db = await open(memory());

/** What a request handler would do: everything below it gets the handle, nothing reads it from the air. */
async function signUp(tenant: string, id: string, email: string): Promise<void> {
  const handle = db.forTenant(tenant);
  await handle.repo(User).create({ id, email });
  await new Counter(handle, { name: 'users' }).add(1n);
}

await signUp('acme', '1', 'kim@example.org');
// The same id and the same email: another key space, another uniqueness.
await signUp('globex', '1', 'kim@example.org');
await signUp('globex', '2', 'lee@example.org');

for (const tenant of ['acme', 'globex']) {
  const handle = db.forTenant(tenant);
  const users = await new Counter(handle, { name: 'users' }).value();
  console.log(`${tenant}: ${await handle.repo(User).count()} of its own, counted ${users}`);
}

const kim = await db.forTenant('acme').repo(User).getOrThrow('1');
console.log(`${kim.email} is of ${kim.tenant}`);
try {
  // @ts-expect-error: what is of acme is not globex's. Without types it is refused all the same.
  await db.forTenant('globex').repo(User).put(kim);
} catch (error) {
  if (!NorimakiError.is(error, 'tenant.mismatch')) throw error;
  console.log(`refused: it is of ${error.details.found}, not of ${error.details.expected}`);
}
try {
  // @ts-expect-error: the tenant is forgotten.
  db.repo(User);
} catch (error) {
  if (!NorimakiError.is(error, 'tenant.required')) throw error;
  console.log(`refused: ${error.message}`);
}
