import { beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { encodeTuple } from '../../src/core/keys/index.ts';
import { type Default, Entity, Field, Id, open, uuidv7, type Version, Versioned } from '../../src/index.ts';
import { type Bench, openMemory, START } from '../support/open.ts';

@Entity('product')
class Product {
  @Id() sku!: Id<string>;
  @Field(z.string().min(1)) name!: string;
  @Field(z.number().int().nonnegative()) stock: Default<number> = 0;
  @Field(z.date()) addedAt: Default<Date> = new Date(START);
  @Field(z.array(z.string()).optional()) tags?: string[];
  @Versioned() version?: Version;

  inStock(): boolean {
    return this.stock > 0;
  }
}

@Entity('shelf')
class Shelf {
  @Id() aisle!: Id<string>;
  @Id() place!: Id<number>;
  @Field(z.string()) label!: string;
}

@Entity('note')
class Note {
  @Id(z.string(), { generate: uuidv7 }) id!: Default<Id<string>>;
  @Field(z.string()) text!: string;
}

let bench: Bench;
const products = () => bench.db.repo(Product);

beforeEach(async () => {
  bench = await openMemory();
});

describe('create', () => {
  test('stores an instance with defaults, methods and a version, and get returns the same', async () => {
    const created = await products().create({ sku: 'A', name: 'Nori' });
    expect(created).toBeInstanceOf(Product);
    expect(created.inStock()).toBe(false);
    expect(created.addedAt).toEqual(new Date(START));
    expectTypeOf(created).toEqualTypeOf<Product>();
    expect(await products().get('A')).toEqual(created);
    expect(created.version).toMatch(/^\d+\.\d+$/);
  });

  test('fails on an id that exists and changes nothing', async () => {
    await products().create({ sku: 'A', name: 'Nori' });
    await expect(products().create({ sku: 'A', name: 'Other' })).rejects.toMatchObject({
      code: 'already.exists',
      message: 'product "A" exists. To overwrite it use put, to change it use mutate.',
    });
    expect((await products().getOrThrow('A')).name).toBe('Nori');
  });

  test('of 50 at once exactly one succeeds', async () => {
    const results = await Promise.allSettled(
      Array.from({ length: 50 }, (_, i) => products().create({ sku: 'A', name: `n${i}` })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('refuses invalid values and unknown fields, naming them and not their values', async () => {
    const invalid = products().create({ sku: 'A', name: '', stock: -1 });
    await expect(invalid).rejects.toMatchObject({
      code: 'validation.failed',
      details: { entity: 'product', issues: [{ path: ['name'] }, { path: ['stock'] }] },
    });
    // @ts-expect-error colour is no field of Product.
    const unknown = products().create({ sku: 'A', name: 'Nori', colour: 'secret-green' });
    await expect(unknown).rejects.toMatchObject({ code: 'validation.failed' });
    await expect(unknown).rejects.not.toThrow('secret-green');
    await expect(unknown).rejects.toThrow('product has no field "colour"; its fields are sku, name');
    expect(await products().count()).toBe(0);
  });

  test('generates an id where the entity says how', async () => {
    const a = await bench.db.repo(Note).create({ text: 'one' });
    bench.clock.set(START + 1);
    const b = await bench.db.repo(Note).create({ text: 'two' });
    expect(a.id < b.id).toBe(true);
    expect((await bench.db.repo(Note).getOrThrow(a.id)).text).toBe('one');
  });

  test('with an idempotency key creates once and returns the entity each time', async () => {
    const first = await products().create({ sku: 'A', name: 'Nori' }, { idempotencyKey: 'k' });
    await products().mutate('A', (p) => {
      p.stock = 3;
    });
    const again = await products().create({ sku: 'A', name: 'Nori' }, { idempotencyKey: 'k' });
    expect(again.stock).toBe(3);
    expect(first.stock).toBe(0);
    await expect(products().create({ sku: 'A', name: 'Nori' }, { idempotencyKey: 'l' })).rejects.toMatchObject({
      code: 'already.exists',
    });
  });
});

describe('reads', () => {
  test('get gives undefined, getOrThrow not.found, exists false for what is not there', async () => {
    expect(await products().get('A')).toBeUndefined();
    await expect(products().getOrThrow('A')).rejects.toMatchObject({
      code: 'not.found',
      message: 'product "A" does not exist.',
    });
    expect(await products().exists('A')).toBe(false);
  });

  test('getMany answers each id in order, over more ids than one read takes', async () => {
    const repo = products();
    await repo.createMany(Array.from({ length: 600 }, (_, i) => ({ sku: `s${i}`, name: 'x', stock: i })));
    const found = await repo.getMany(['s5', 'none', 's599', 's5']);
    expect(found.map((p) => p?.stock)).toEqual([5, undefined, 599, 5]);
    expect(await repo.getMany(Array.from({ length: 600 }, (_, i) => `s${i}`))).toHaveLength(600);
  });

  test('a composite id is an object of its parts', async () => {
    const shelves = bench.db.repo(Shelf);
    await shelves.create({ aisle: 'A', place: 1, label: 'tea' });
    expect((await shelves.getOrThrow({ place: 1, aisle: 'A' })).label).toBe('tea');
    // @ts-expect-error a part is missing.
    await expect(shelves.get({ aisle: 'A' })).rejects.toThrow(
      'The id of shelf is an object of its parts: { aisle, place }.',
    );
    // @ts-expect-error an object is no id of Product.
    await expect(products().get({ sku: 'A' })).rejects.toMatchObject({ code: 'argument.invalid' });
  });

  test('no id stands for another', async () => {
    const repo = products();
    const hostile = ['a:b', 'a', 'a/b', 'a\0b', 'a%00b', '..', '🍣', '', 'A', 'a\0'];
    for (const sku of hostile) await repo.create({ sku, name: JSON.stringify(sku) });
    for (const sku of hostile) expect((await repo.getOrThrow(sku)).name).toBe(JSON.stringify(sku));
    await expect(repo.get('\ud800')).rejects.toMatchObject({ code: 'argument.invalid' });
    await expect(repo.create({ sku: 'x'.repeat(1024), name: 'n' })).rejects.toMatchObject({ code: 'size.exceeded' });
  });

  test('what a caller does to an entity does not reach the store', async () => {
    const created = await products().create({ sku: 'A', name: 'Nori', tags: ['sea'] });
    created.tags?.push('land');
    (await products().getOrThrow('A')).name = 'changed';
    expect(await products().getOrThrow('A')).toMatchObject({ name: 'Nori', tags: ['sea'] });
  });
});

describe('put', () => {
  test('stores what is new and replaces what exists', async () => {
    await products().put({ sku: 'A', name: 'one', tags: ['t'] });
    const second = await products().put({ sku: 'A', name: 'two', stock: 2 });
    expect(second.tags).toBeUndefined();
    expect(await products().get('A')).toEqual(second);
  });

  test('with ifMatch replaces only the version it is based on', async () => {
    const read = await products().create({ sku: 'A', name: 'one' });
    await products().mutate('A', (p) => {
      p.stock = 7;
    });
    await expect(products().put({ ...read, name: 'two' }, { ifMatch: read.version })).rejects.toMatchObject({
      code: 'version.mismatch',
      message:
        'product "A" was changed since it was read. Read it again and repeat the change, or use mutate, which does so by itself.',
    });
    const fresh = await products().getOrThrow('A');
    const written = await products().put({ ...fresh, name: 'two' }, { ifMatch: fresh.version });
    expect(written).toMatchObject({ name: 'two', stock: 7 });
    await products().delete('A');
    await expect(products().put({ ...written }, { ifMatch: written.version })).rejects.toThrow(
      'does not exist any more',
    );
  });

  test('refuses an ifMatch that is undefined', async () => {
    const fresh = { sku: 'A', name: 'one' } as Product;
    await expect(products().put(fresh, { ifMatch: fresh.version })).rejects.toThrow('ifMatch is undefined');
  });

  test('of the same values writes nothing and keeps the version', async () => {
    const created = await products().create({ sku: 'A', name: 'one' });
    expect((await products().put(created)).version).toBe(created.version);
  });
});

describe('delete', () => {
  test('says whether there was something, and honours ifMatch', async () => {
    const created = await products().create({ sku: 'A', name: 'one' });
    await products().mutate('A', (p) => {
      p.stock = 1;
    });
    await expect(products().delete('A', { ifMatch: created.version })).rejects.toMatchObject({
      code: 'version.mismatch',
    });
    expect(await products().delete('A')).toBe(true);
    expect(await products().delete('A')).toBe(false);
    expect(await products().get('A')).toBeUndefined();
  });
});

describe('a closed database', () => {
  test('refuses every verb', async () => {
    const { db } = await openMemory();
    const repo = db.repo(Product);
    await bench.store.close();
    await expect(products().get('A')).rejects.toMatchObject({ code: 'store.closed' });
    await expect(products().create({ sku: 'A', name: 'n' })).rejects.toMatchObject({ code: 'store.closed' });
    await expect(repo.exists('A')).resolves.toBe(false);
  });
});

describe('tenants', () => {
  test('see nothing of each other, whatever their names', async () => {
    const names = ['a', 'a\0', 'a:b', 'b', '..', 'norimaki', '🍣'];
    for (const tenant of names) {
      await bench.db.forTenant(tenant).repo(Product).create({ sku: 'A', name: tenant });
    }
    await products().create({ sku: 'A', name: 'none' });
    for (const tenant of names) {
      const repo = bench.db.forTenant(tenant).repo(Product);
      expect((await repo.list()).items.map(({ name }) => name)).toEqual([tenant]);
      expect(await repo.count()).toBe(1);
    }
    expect((await products().list()).items).toHaveLength(1);
    expect(() => bench.db.forTenant('')).toThrow('A tenant is a string');
    expect(() => bench.db.forTenant('\udfff')).toThrow('A tenant is a string');
  });

  test('a record that was copied under another tenant is refused', async () => {
    await products().create({ sku: 'A', name: 'mine' });
    const { entries } = await bench.store.scan({ start: Uint8Array.of(0), end: Uint8Array.of(255) });
    const stolen = bench.db.forTenant('thief');
    const plan = await stolen.repo(Product).plan().create({ sku: 'A', name: 'x' });
    await bench.store.put(encodeTuple(plan.steps[0]?.key ?? []), entries[0]?.value ?? new Uint8Array());
    await expect(stolen.repo(Product).get('A')).rejects.toMatchObject({ code: 'record.corrupt' });
  });
});

test.each([undefined, null, 'memory', {}, { store: 1 }])(
  'open without a store (%j) says what it takes',
  async (source) => {
    await expect((open as (source: unknown) => Promise<unknown>)(source)).rejects.toMatchObject({
      code: 'argument.invalid',
      message: expect.stringContaining("open(embedded({ path: './data' })"),
    });
  },
);

describe('two entities of one name', () => {
  test('are refused by the second repo()', () => {
    @Entity('product')
    class Impostor {
      @Id() id!: Id<string>;
    }
    products();
    expect(() => bench.db.repo(Impostor)).toThrow("Two entities are named 'product'");
    expect(bench.db.repo(Product)).toBe(bench.db.repo(Product));
  });
});
