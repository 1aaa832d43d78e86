// A class decorated elsewhere is evaluated before this file's own import of the library.

import { z } from 'zod';
import type { Default } from '../../../src/core/model/index.ts';
import type { TenantId } from '../../../src/core/tenant-id.ts';
import { Embedding, Entity, Field, Id, Index, TenantScoped, Ttl, Unique } from '../../../src/decorators/index.ts';
import { Stored } from './stored.ts';

const dateAsText = z.codec(z.iso.datetime(), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString(),
});

@Entity('product', { schema: 2, upcast: { 1: ({ title, ...rest }) => ({ ...rest, name: title }) } })
@Embedding('text', { from: ['name', 'tags'], mode: 'deferred', chunk: { size: 800, overlap: 100 } })
@Embedding('place', { dimensions: 2, metric: 'euclidean', index: 'exact' })
export class Product extends Stored {
  static readonly currency = 'JPY';
  @Field(z.string().min(1)) @Unique() name!: string;
  @Field(z.number().int()) @Index('recent') stock: Default<number> = Product.startingStock();
  @Field(z.array(z.string())) tags: Default<string[]> = ['new'];
  @Field(z.string().default('dry')) storage?: string;
  @Field(z.string().optional()) note?: string;
  @Embedding({ from: 'name' }) nameVector?: Float32Array | undefined;
  @Embedding({ from: (product: Product) => product.label(), template: 'label' }) labelVector?: Float32Array;

  static startingStock(): number {
    return Product.currency.length;
  }

  get inStock(): boolean {
    return this.stock > 0;
  }

  label(): string {
    return `${this.name} (${this.stock})`;
  }
}

/** Redeclares a field and embeddings in their places, adds a field, and lives by its own clock. */
@Ttl('1h')
@Entity('perishable', { ring: 8 })
@Embedding('text', { from: 'name' })
export class Perishable extends Product {
  @Field(z.string().min(5)) override name = 'still fresh';
  @Field(dateAsText.optional()) @Ttl() bestBefore?: Date;
  @Embedding({ dimensions: 3 }) override nameVector: Float32Array | undefined = undefined;
}

@Entity('order-line')
export class OrderLine {
  @Id() region!: Id<string>;
  @Id(z.bigint()) order!: Id<bigint>;
  @Id(z.number().int()) line!: Id<number>;
  @Field(z.string()) @Unique('place') @Index('place') shelf!: string;
  @Field(z.string()) @Index() @Index('place') sku!: string;
  @Field(z.number()) @Unique('place') bin: Default<number> = 1;
}

@TenantScoped()
abstract class Owned {
  readonly tenant!: TenantId;
}

@Entity('invoice')
export class Invoice extends Owned {
  @Id() id!: Id<string>;
  @Field(z.string()) name!: string;
}

@Entity('receipt')
@TenantScoped()
export class Receipt {
  @Id() id!: Id<string>;
  @Field(z.string()) name!: string;
  readonly tenant!: TenantId;
}

/** Stores what is filled on reading. */
@Entity('stored tenant')
@TenantScoped()
export class StoredTenant {
  @Id() id!: Id<string>;
  @Field(z.custom<TenantId>()) tenant!: TenantId;
}

/** Has no room for it. */
@Entity('computed tenant')
@TenantScoped()
export class ComputedTenant {
  @Id() id!: Id<string>;
  get tenant(): TenantId {
    throw new Error('There is none.');
  }
}

/** Nothing but a subclass. */
export class Unnamed extends Product {}
