import { z } from 'zod';
import type { ScanStore, Store } from '../../src/core/store.ts';
import {
  type Database,
  type Default,
  defineEntity,
  Entity,
  type EntityChange,
  type EntityChanges,
  Field,
  Id,
  Index,
  NorimakiError,
  type Page,
  type Version,
  Versioned,
} from '../../src/index.ts';
import type { MemoryStore } from '../../src/stores/memory/index.ts';

@Entity('product')
class Product {
  @Id() sku!: Id<string>;
  @Field(z.string()) name!: string;
  @Field(z.number()) @Index() stock: Default<number> = 0;
  @Versioned() version?: Version;

  inStock(): boolean {
    return this.stock > 0;
  }
}

const Stop = defineEntity('stop', z.object({ line: z.string(), nr: z.number(), name: z.string().default('?') }), {
  id: ['line', 'nr'],
});

declare const db: Database<MemoryStore>;
const products = db.repo(Product);
const stops = db.repo(Stop);

// What create and put take.
products.create({ sku: 'a', name: 'n' }) satisfies Promise<Product>;
products.create({ sku: 'a', name: 'n', stock: 1 });
// @ts-expect-error a field is missing.
products.create({ sku: 'a' });
// @ts-expect-error an unknown field.
products.create({ sku: 'a', name: 'n', colour: 'red' });
// @ts-expect-error a wrong type.
products.create({ sku: 'a', name: 7 });
// @ts-expect-error a method is no field.
products.create({ sku: 'a', name: 'n', inStock: () => true });
// @ts-expect-error the version is the store's.
products.create({ sku: 'a', name: 'n', version: '1.1' });
declare const product: Product;
products.put(product, { ifMatch: product.version });
products.put({ ...product, name: 'other' }, { ttl: '5m' });
// @ts-expect-error five minutes is '5m'.
products.put(product, { ttl: '5 minutes' });
stops.create({ line: 'a', nr: 1 });

// Ids.
products.get('a') satisfies Promise<Product | undefined>;
// @ts-expect-error a number is no sku.
products.get(7);
stops.get({ line: 'a', nr: 1 });
// @ts-expect-error a part is missing.
stops.get({ line: 'a' });

// mutate.
products.mutate('a', (draft) => {
  draft.stock -= 1;
  draft.inStock();
});
products.mutate('a', async (draft) => ({ ...draft, stock: 1 }));
products.mutate('a', (draft) => {
  // @ts-expect-error an id is for life.
  draft.sku = 'b';
});
stops.mutate({ line: 'a', nr: 1 }, (draft) => {
  draft.name = 'x';
  // @ts-expect-error an id is for life.
  draft.nr = 2;
});
products.mutate('a', (draft) => draft.stock--);
// @ts-expect-error an object of another shape is no replacement.
products.mutate('a', () => ({ colour: 'red' }));
// @ts-expect-error an unknown field in what to start from.
products.mutate('a', () => {}, { ifAbsent: { colour: 'red' } });

// What the store can do.
products.find({ stock: { gt: 1 } }) satisfies Promise<Page<Product>>;
// @ts-expect-error a bound of another type.
products.find({ stock: { gt: 'a' } });
// @ts-expect-error a method is no field.
products.find({ inStock: true });
declare const plain: Database<Store>;
plain.repo(Product).get('a');
// @ts-expect-error the store does not scan.
plain.repo(Product).scan();
// @ts-expect-error the store does not scan.
plain.repo(Product).find({ stock: 1 });
declare const scanning: Database<ScanStore>;
scanning.repo(Product).scan();
// @ts-expect-error the store does not watch.
scanning.repo(Product).watch();
// @ts-expect-error the store does not scan.
plain.store.scan;

// Errors.
declare const error: unknown;
if (NorimakiError.is(error, 'conflict.exhausted')) error.details.attempts satisfies number;
if (NorimakiError.is(error, 'record.corrupt')) {
  // @ts-expect-error details are of the code.
  error.details.attempts;
}
if (NorimakiError.match(error, 'store.')) {
  error.code satisfies `store.${string}`;
  // @ts-expect-error no code of that prefix.
  error.code satisfies 'not.found';
}
// @ts-expect-error no such code.
NorimakiError.is(error, 'conflict.exhaused');

// Watching.
products.watch() satisfies EntityChanges<string>;
products.watch('a', { buffer: 10 });
stops.watch({ line: 'a', nr: 1 }) satisfies AsyncIterable<EntityChange<{ line: string; nr: number }>>;
// @ts-expect-error a number is no sku.
products.watch(7);
// @ts-expect-error no option.
products.watch({ limit: 1 });
declare const change: EntityChange<string>;
if (change.type === 'put') change.version satisfies Version;
// @ts-expect-error a start is of no entity.
change.id;
