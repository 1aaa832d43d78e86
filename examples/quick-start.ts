// The shortest tour: an entity, a repository, and updates that are never lost.
import { type Default, Entity, Field, Id, open, type Version, Versioned } from 'norimaki';
import { memory } from 'norimaki/stores/memory';
import { z } from 'zod';

@Entity('product')
class Product {
  @Id() sku!: Id<string>;
  @Field(z.string().min(1)) name!: string;
  @Field(z.int().nonnegative()) stock: Default<number> = 0; // create() need not be given it
  @Field(z.date()) addedAt: Default<Date> = new Date();
  @Versioned() version?: Version; // the token of the last read or write

  inStock(): boolean {
    return this.stock > 0;
  }
}

await using db = await open(memory());
const products = db.repo(Product);

await products.create({ sku: 'NORI-1', name: 'Toasted nori', stock: 10 }); // fails if it exists

const found = await products.get('NORI-1'); // Product | undefined
console.log(`${found?.name}: ${found?.inStock() ? 'in stock' : 'sold out'}`);

// Ten buyers at once: each change rests on the one before, so the stock cannot go wrong.
await Promise.all(
  Array.from({ length: 10 }, () =>
    products.mutate('NORI-1', (p) => {
      p.stock -= 1;
    }),
  ),
);
const sold = await products.getOrThrow('NORI-1');
console.log(`${sold.name}: ${sold.stock} left, ${sold.inStock() ? 'in stock' : 'sold out'}`);

console.log(`deleted: ${await products.delete('NORI-1')}`);
