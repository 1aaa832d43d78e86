import { z } from 'zod';
import {
  type Database,
  type Default,
  defineEntity,
  Entity,
  Field,
  Id,
  Index,
  open,
  TenantId,
  TenantScoped,
} from '../../src/index.ts';
import { Counter } from '../../src/patterns/index.ts';
import { memory } from '../../src/stores/memory/index.ts';

@Entity('invoice')
@TenantScoped()
class Invoice {
  @Id() id!: Id<string>;
  @Field(z.number()) @Index() total: Default<number> = 0;
  readonly tenant!: TenantId;

  isPaid(): boolean {
    return this.total === 0;
  }
}

const Receipt = defineEntity('receipt', z.object({ id: z.string(), sum: z.number() }), {
  id: 'id',
  index: ['sum'],
  tenantScoped: true,
});

@Entity('product')
class Product {
  @Id() sku!: Id<string>;
}

// @ts-expect-error: the compiler could not tell whose an entity is.
@TenantScoped()
class NoField {
  @Id() id!: Id<string>;
}

// @ts-expect-error: a plain string may be anything.
@TenantScoped()
class PlainField {
  @Id() id!: Id<string>;
  readonly tenant!: string;
}

const db = await open(memory());
const acme = db.forTenant('acme');
const globex = db.forTenant(TenantId('globex'));
acme.tenant satisfies 'acme';
globex.tenant satisfies 'globex';
db.tenant satisfies undefined;

// Forgetting the tenant.
// @ts-expect-error: it belongs to a tenant.
db.repo(Invoice);
// @ts-expect-error: it belongs to a tenant.
db.repo(Receipt);
declare const some: Database;
// @ts-expect-error: this handle may have none.
some.repo(Invoice);
db.repo(Product);
acme.repo(Product);
some.repo(Product);

// What is of one tenant is of no other.
const ours = acme.repo(Invoice);
const theirs = globex.repo(Invoice);
const invoice = await ours.create({ id: '1', total: 3 });
invoice.tenant satisfies TenantId<'acme'>;
invoice.isPaid() satisfies boolean;
await ours.put(invoice);
// @ts-expect-error: it is of acme.
await theirs.put(invoice);
// @ts-expect-error: it is of acme.
await theirs.create(invoice);
// @ts-expect-error: it is of acme.
await theirs.putMany([invoice]);
// @ts-expect-error: it is of acme.
await theirs.mutate('1', () => invoice);
// @ts-expect-error: it is of acme.
invoice satisfies Awaited<ReturnType<typeof theirs.create>>;
const receipt = await acme.repo(Receipt).create({ id: '1', sum: 1 });
receipt.tenant satisfies TenantId<'acme'>;
// @ts-expect-error: it is of acme.
await globex.repo(Receipt).put(receipt);
await acme.repo(Receipt).put(receipt);

await ours.mutate('1', (draft) => {
  draft.total += 1;
  // @ts-expect-error: an entity does not change hands.
  draft.tenant = TenantId('acme');
});
// @ts-expect-error: whose it is, the handle says.
await ours.find({ tenant: 'acme' });
await ours.find({ total: 3 });
// @ts-expect-error: a field is wrong.
await ours.create({ id: 1 });

// A name that was checked, and one that was not.
// @ts-expect-error: a plain string was not checked.
'acme' satisfies TenantId;
TenantId('acme') satisfies TenantId<'acme'>;
// @ts-expect-error: it is another one.
TenantId('acme') satisfies TenantId<'globex'>;

// From one tenant no way leads to another, or to the bytes of all.
// @ts-expect-error: only the whole leads to tenants.
acme.forTenant('globex');
some.forTenant('acme');
acme.store.capabilities.cas satisfies string;
// @ts-expect-error: they belong to everybody.
acme.store.get(Uint8Array.of(1));
await db.store.get(Uint8Array.of(1));

// A name that is only known at run time.
declare const name: string;
const one = db.forTenant(name).repo(Invoice);
(await one.getOrThrow('1')).tenant satisfies TenantId;

// Whoever takes any handle takes each of them.
new Counter(db, { name: 'c' });
new Counter(acme, { name: 'c' });
new Counter(some, { name: 'c' });
const forAny = (any: Database): Database => any;
forAny(acme);
forAny(db);

defineEntity('x', z.object({ id: z.string() }), { id: 'id' });
export const declared = [NoField, PlainField];
