// One store, many customers. A handle scoped to a tenant cannot reach another one's records.
import { Entity, Field, Id, open, Unique } from 'norimaki';
import { memory } from 'norimaki/stores/memory';
import { z } from 'zod';

@Entity('user')
class User {
  @Id() id!: Id<string>;
  @Field(z.email()) @Unique() email!: string;
}

await using db = await open(memory());

/** What a request handler would do: everything below it gets the handle, nothing reads it from the air. */
async function signUp(tenant: string, id: string, email: string): Promise<void> {
  await db.forTenant(tenant).repo(User).create({ id, email });
}

await signUp('acme', '1', 'kim@example.org');
// The same id and the same email: another key space, another uniqueness.
await signUp('globex', '1', 'kim@example.org');
await signUp('globex', '2', 'lee@example.org');

for (const tenant of ['acme', 'globex']) {
  const users = db.forTenant(tenant).repo(User);
  console.log(`${tenant}: ${await users.count()} of its own`);
}
// The handle without a tenant is a space of its own as well, not a view over all.
console.log(`without a tenant: ${await db.repo(User).count()}`);
