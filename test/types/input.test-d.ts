import { expectTypeOf } from 'vitest';
import { z } from 'zod';
import type {
  Default,
  Draft,
  EntityInput,
  IdOf,
  Range,
  ShapeOf,
  UniqueWhere,
  Where,
} from '../../src/core/model/index.ts';
import type { Version } from '../../src/core/version.ts';
import { Entity, Field, Id, Index, uuidv7, Versioned } from '../../src/decorators/index.ts';

@Entity('product')
class Product {
  @Id() sku!: Id<string>;
  @Field(z.string()) @Index('place') name!: string;
  @Field(z.number()) @Index('place') stock: Default<number> = 0;
  @Field(z.date()) addedAt: Default<Date> = new Date(0);
  @Field(z.array(z.string())) tags: Default<string[]> = [];
  @Field(z.string().nullish()) note?: string | null;
  @Versioned() version?: Version;

  get inStock(): boolean {
    return this.stock > 0;
  }

  label(): string {
    return this.name;
  }
}

@Entity('event')
class Event {
  @Id({ generate: uuidv7 }) id!: Default<Id<string>>;
  @Field(z.string()) text!: string;
}

@Entity('line')
class Line {
  @Id() region!: Id<string>;
  @Id() order!: Id<bigint>;
  @Field(z.number()) amount!: number;
}

@Entity('defaults')
class Defaults {
  @Id() id!: Id<string>;
  @Field(z.boolean()) flag: Default<boolean> = true;
  @Field(z.enum(['a', 'b'])) choice: Default<'a' | 'b'> = 'a';
  @Field(z.string().nullable()) text: Default<string | null> = null;
}

@Entity('loose')
class Loose {
  @Id() sku!: string;
  // biome-ignore lint/suspicious/noExplicitAny: what somebody else's class may have.
  @Field(z.any()) anything: any;
}

// What create takes.
const input = <T extends object>(_: new () => T, value: EntityInput<T>) => value;
input(Product, { sku: 'NORI-1', name: 'Toasted nori' });
input(Product, { sku: 'NORI-1', name: 'Toasted nori', stock: 1, addedAt: new Date(0), tags: [], note: null });
input(Product, { sku: 'NORI-1', name: 'Toasted nori', stock: undefined, note: undefined });
input(Product, new Product());
// @ts-expect-error: the name is missing.
input(Product, { sku: 'NORI-1' });
// @ts-expect-error: the id is missing.
input(Product, { name: 'Toasted nori' });
// @ts-expect-error: a string is no number.
input(Product, { sku: 'NORI-1', name: 'Toasted nori', stock: '1' });
// @ts-expect-error: there is no such field.
input(Product, { sku: 'NORI-1', name: 'Toasted nori', sotck: 1 });
// @ts-expect-error: a method is not stored.
input(Product, { sku: 'NORI-1', name: 'Toasted nori', label: () => '' });
// @ts-expect-error: the version is the store's.
input(Product, { sku: 'NORI-1', name: 'Toasted nori', version: '1.1' });
input(Event, { text: 'a generated id' });
input(Event, { text: 'an id', id: 'x' });
// @ts-expect-error: the text is missing.
input(Event, {});
input(Defaults, { id: 'x' });
input(Defaults, { id: 'x', flag: false, choice: 'b', text: null });
input(Defaults, { id: 'x', text: 'y' });
// @ts-expect-error: there is no such choice.
input(Defaults, { id: 'x', choice: 'c' });
input(Loose, { sku: 'NORI-1', anything: 1 });
expectTypeOf<EntityInput<Line>>().toEqualTypeOf<{ region: Id<string>; order: Id<bigint>; amount: number }>();

// What get takes.
const id = <T extends object>(_: new () => T, value: IdOf<T>) => value;
id(Product, 'NORI-1');
// @ts-expect-error: a number is no string.
id(Product, 1);
// @ts-expect-error: nor is an object of its one part.
id(Product, { sku: 'NORI-1' });
id(Event, 'x');
id(Line, { region: 'east', order: 1n });
// @ts-expect-error: a part is missing.
id(Line, { region: 'east' });
// @ts-expect-error: a part is wrong.
id(Line, { region: 'east', order: 1 });
// @ts-expect-error: one part is not the id.
id(Line, 'east');
id(Loose, 'NORI-1');
id(Loose, 1);
id(Loose, { sku: 'NORI-1' });
// @ts-expect-error: null is no id.
id(Loose, null);

// What mutate hands out.
const draft = <T extends object>(_: new () => T, change: (draft: Draft<T>) => void) => change;
draft(Product, (product) => {
  product.stock -= 1;
  product.name = product.label();
  product.tags.push('sold');
  product.addedAt = new Date(0);
  product.note = null;
  // @ts-expect-error: an id is for life.
  product.sku = 'NORI-2';
  // @ts-expect-error: a getter is read only.
  product.inStock = true;
});
draft(Line, (line) => {
  line.amount += 1;
  // @ts-expect-error: nor does a part of it change.
  line.order = 2n;
});
draft(Event, (event) => {
  // @ts-expect-error: nor one that was generated.
  event.id = 'y';
});
draft(Loose, (loose) => {
  loose.sku = 'the program finds out at run time';
});

// What find and findOne take.
const where = <T extends object>(_: new () => T, value: Where<T>) => value;
where(Product, { name: 'Toasted nori', stock: { gte: 1, lt: 10 } });
where(Product, { addedAt: { gt: new Date(0) } });
where(Product, { note: null });
where(Defaults, { flag: true, choice: 'a', text: null });
// @ts-expect-error: an array is in no index.
where(Product, { tags: [] });
// @ts-expect-error: a string is no number.
where(Product, { stock: 'many' });
// @ts-expect-error: nor a bound of one.
where(Product, { stock: { gt: 'many' } });
// @ts-expect-error: there is no such field.
where(Product, { sotck: 1 });
// @ts-expect-error: nor is a method one.
where(Product, { label: 'x' });
expectTypeOf<NonNullable<Where<Line>['amount']>>().toEqualTypeOf<number | Range<number>>();
expectTypeOf<UniqueWhere<Line>['region']>().toEqualTypeOf<Id<string> | undefined>();

// What a repository works with.
expectTypeOf<ShapeOf<typeof Product>['entity']>().toEqualTypeOf<Product>();
expectTypeOf<ShapeOf<typeof Line>['id']>().toEqualTypeOf<IdOf<Line>>();
