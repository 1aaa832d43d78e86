import { expect, test } from 'vitest';
import { z } from 'zod';
import type { Default } from '../core/model/index.ts';
import type { Version } from '../core/version.ts';
import { declarationOf, Entity, Field, Id, Index, modelOf, Ttl, Unique, uuidv7, Versioned } from './index.ts';

test('each decorator adds to the declaration', () => {
  const sku = z.string().max(40);
  const name = z.string();
  const until = z.date().optional();
  const upcast = { 1: (fields: Record<string, unknown>) => fields };
  @Entity('product', { schema: 2, upcast, ring: 8 })
  @Ttl('30m', { onWrite: 'renew' })
  class Product {
    @Id(sku) sku!: Id<string>;
    @Field(name) @Unique() @Index('byName') name!: string;
    @Field(until) @Ttl() until?: Date;
    @Versioned() version?: Version;
  }
  const { instantiate, ...declaration } = declarationOf(Product);
  expect(instantiate()).toBeInstanceOf(Product);
  expect(declaration).toEqual({
    name: 'product',
    className: 'Product',
    fields: [
      { name: 'sku', schema: sku },
      { name: 'name', schema: name },
      { name: 'until', schema: until, deadline: true },
      { name: 'version', versioned: true },
    ],
    ids: [{ name: 'sku' }],
    uniques: [{ name: 'name', fields: ['name'] }],
    indexes: [{ name: 'byName', fields: ['name'] }],
    embeddings: [],
    schema: 2,
    upcast,
    ring: 8,
    ttl: { duration: '30m', onWrite: 'renew' },
    problems: [],
  });
});

test('several ids make one, in order of declaration, each with its own generator', () => {
  const count = () => 7;
  @Entity('line')
  class Line {
    @Id() region!: Id<string>;
    @Id(z.uuid(), { generate: uuidv7 }) order!: Default<Id<string>>;
    @Id({ generate: count }) line!: Default<Id<number>>;
  }
  expect(modelOf(Line).ids).toEqual([
    { name: 'region' },
    { name: 'order', generate: uuidv7 },
    { name: 'line', generate: count },
  ]);
});

test('fields that share a name form one group, in order of declaration', () => {
  @Entity('person')
  class Person {
    @Id() id!: string;
    @Field(z.string()) @Index('place') @Index() city!: string;
    @Field(z.string()) @Unique('badge') site!: string;
    @Field(z.number()) @Unique('badge') @Index('place') age!: number;
  }
  const { uniques, indexes } = modelOf(Person);
  expect(uniques).toEqual([{ name: 'badge', fields: ['site', 'age'] }]);
  expect(indexes).toEqual([
    { name: 'place', fields: ['city', 'age'] },
    { name: 'city', fields: ['city'] },
  ]);
});

test('decorators of one field or class stand in any order', () => {
  @Ttl('1h')
  @Entity('ticket')
  class Above {
    @Index() @Field(z.string()) @Id() id!: string;
    @Ttl() @Field(z.date()) until!: Date;
  }
  @Entity('ticket')
  @Ttl('1h')
  class Below {
    @Id() @Field(z.string()) @Index() id!: string;
    @Field(z.date()) @Ttl() until!: Date;
  }
  const { instantiate: _, codec: __, ...above } = modelOf(Above);
  expect(modelOf(Below)).toMatchObject(above);
});

@Ttl('1d')
abstract class Stored {
  @Id() id!: Id<string>;
  @Field(z.string()) @Index('byOwner') owner!: string;
  @Versioned() version?: Version;
}

@Entity('document')
class Document extends Stored {
  @Field(z.string()) @Index('byOwner') title!: string;
}

@Entity('contract')
@Ttl('2d')
class Contract extends Document {
  @Field(z.string().min(3)) @Unique() override owner: string = '';
  @Field(z.number()) value!: number;
}

test('a subclass has the fields of its parents first', () => {
  expect(modelOf(Document).fields).toEqual(['id', 'owner', 'title']);
  expect(modelOf(Contract).fields).toEqual(['id', 'owner', 'title', 'value']);
  expect(modelOf(Contract).versionField).toBe('version');
});

test('a field declared anew keeps its place and its marks, under the new schema', () => {
  const owner = declarationOf(Contract).fields.find(({ name }) => name === 'owner');
  expect(z.safeParse(owner?.schema as z.ZodType, 'ab').success).toBe(false);
  expect(modelOf(Contract).indexes).toEqual([{ name: 'byOwner', fields: ['owner', 'title'] }]);
  expect(modelOf(Contract).uniques).toEqual([{ name: 'owner', fields: ['owner'] }]);
});

test('a subclass leaves its parent as it was', () => {
  const owner = declarationOf(Document).fields.find(({ name }) => name === 'owner');
  expect(z.safeParse(owner?.schema as z.ZodType, 'ab').success).toBe(true);
  expect(modelOf(Document).uniques).toEqual([]);
});

test('the nearest time to live counts', () => {
  expect(modelOf(Document).ttl).toEqual({ ms: 86_400_000 });
  expect(modelOf(Contract).ttl).toEqual({ ms: 172_800_000 });
});

test('siblings do not see each other', () => {
  @Entity('left')
  class Left extends Stored {
    @Field(z.string()) left!: string;
  }
  @Entity('right')
  class Right extends Stored {
    @Field(z.string()) right!: string;
  }
  expect(modelOf(Left).fields).toEqual(['id', 'owner', 'left']);
  expect(modelOf(Right).fields).toEqual(['id', 'owner', 'right']);
});

test('a class is compiled once', () => {
  expect(modelOf(Document)).toBe(modelOf(Document));
  expect(modelOf(Document)).not.toBe(modelOf(Contract));
});

test('a field in an old record that lacks it reads as its initialiser says, made afresh', () => {
  @Entity('cart')
  class Cart {
    @Id() id: string = 'never from here';
    @Field(z.array(z.string())) items: string[] = [];
    @Field(z.number().default(1)) amount: number = 2;
    @Field(z.string().default('dry')) storage!: string;
    @Field(z.string().optional()) note?: string;
  }
  const { codec } = modelOf(Cart);
  const decode = (json: object) =>
    codec.decode({ envelope: { schema: 1, born: '', seq: 0, ops: '' }, json, meta: undefined, body: '' }, () => 'it')
      .values;
  const one = decode({ id: 'a' });
  expect(one).toEqual({ id: 'a', items: [], amount: 2, storage: 'dry' });
  expect(decode({ id: 'a' }).items).not.toBe(one.items);
  expect(() => decode({})).toThrow('it');
});
