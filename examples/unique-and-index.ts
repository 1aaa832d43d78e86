// Accounts with a unique email, looked up by it; listed by city and age through an index.
import { Entity, Field, Id, Index, NorimakiError, open, Unique } from 'norimaki';
import { memory } from 'norimaki/stores/memory';
import { z } from 'zod';

@Entity('account')
class Account {
  @Id() name!: Id<string>;
  @Field(z.email().toLowerCase()) @Unique() email!: string;
  // One index over two fields: equality on the first, a range on the second.
  @Field(z.string()) @Index('byCityAndAge') city!: string;
  @Field(z.int()) @Index('byCityAndAge') age!: number;
}

await using db = await open(memory());
const accounts = db.repo(Account);
await accounts.createMany([
  { name: 'aki', email: 'aki@example.org', city: 'Kyoto', age: 31 },
  { name: 'ben', email: 'ben@example.org', city: 'Berlin', age: 42 },
  { name: 'chie', email: 'chie@example.org', city: 'Kyoto', age: 58 },
  { name: 'dai', email: 'dai@example.org', city: 'Kyoto', age: 24 },
]);

try {
  await accounts.create({ name: 'eve', email: 'AKI@example.org', city: 'Oslo', age: 20 });
} catch (error) {
  if (!NorimakiError.is(error, 'already.exists')) throw error;
  console.log(`refused: ${error.details.fields?.join(' + ')} is taken`);
}

// The same id written again does not collide with its own value; a value given up is free for others.
await accounts.mutate('aki', (account) => {
  account.email = 'aki@example.com';
});
await accounts.create({ name: 'eve', email: 'aki@example.org', city: 'Oslo', age: 20 });
console.log(`aki@example.org is now ${(await accounts.findOne({ email: 'aki@example.org' }))?.name}`);

const { items } = await accounts.find({ city: 'Kyoto', age: { gte: 30 } });
console.log(`in Kyoto, 30 and over: ${items.map(({ name, age }) => `${name} (${age})`).join(', ')}`);

const oldest = await accounts.find({ city: 'Kyoto' }, { reverse: true, limit: 1 });
console.log(
  `the oldest in Kyoto: ${oldest.items[0]?.name}; in all ${await accounts.count({ where: { city: 'Kyoto' } })}`,
);
