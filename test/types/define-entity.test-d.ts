import { expectTypeOf } from 'vitest';
import { z } from 'zod';
import type { ShapeOf } from '../../src/core/model/index.ts';
import type { Version } from '../../src/core/version.ts';
import { defineEntity, uuidv7 } from '../../src/decorators/index.ts';

const fields = z.object({
  sku: z.string(),
  region: z.string(),
  bin: z.bigint(),
  name: z.string().optional(),
  stock: z.number().default(0),
  tags: z.array(z.string()).prefault([]),
  expires: z.date().nullish(),
});

const Product = defineEntity('product', fields, {
  id: 'sku',
  versioned: 'version',
  ttl: '30m',
  deadline: 'expires',
  unique: ['name'],
  index: { place: ['region', 'bin'], expires: ['expires'] },
  schema: 2,
  upcast: { 1: (old) => old },
  ring: 8,
});
type Product = ShapeOf<typeof Product>;
expectTypeOf<Product['id']>().toEqualTypeOf<string>();
expectTypeOf<Omit<Product['entity'], 'version'>>().toEqualTypeOf<z.output<typeof fields>>();
expectTypeOf<Product['entity']['version']>().toEqualTypeOf<Version | undefined>();
expectTypeOf<Product['input']>().toEqualTypeOf<{
  sku: string;
  region: string;
  bin: bigint;
  name?: string | undefined;
  stock?: number | undefined;
  tags?: string[] | undefined;
  expires?: Date | null | undefined;
}>();
expectTypeOf<Product['where']>().toHaveProperty('stock');
expectTypeOf<Product['where']>().not.toHaveProperty('tags');
(draft: Product['draft']) => {
  draft.stock = 1;
  // @ts-expect-error: an id is for life.
  draft.sku = 'NORI-2';
};

const Shelf = defineEntity('shelf', fields, { id: ['region', 'bin'] });
type Shelf = ShapeOf<typeof Shelf>;
expectTypeOf<Shelf['id']>().toEqualTypeOf<{ readonly region: string; readonly bin: bigint }>();
expectTypeOf<Shelf['entity']>().toEqualTypeOf<z.output<typeof fields>>();
(draft: Shelf['draft']) => {
  draft.sku = 'NORI-2';
  // @ts-expect-error: nor does a part of it change.
  draft.bin = 2n;
};

const Event = defineEntity('event', z.object({ id: z.uuid(), text: z.string() }), { id: 'id', generate: uuidv7 });
expectTypeOf<ShapeOf<typeof Event>['input']>().toEqualTypeOf<{ id?: string | undefined; text: string }>();

const Entry = defineEntity('entry', z.object({ book: z.string(), line: z.uuid() }), {
  id: ['book', 'line'],
  generate: { line: uuidv7 },
});
expectTypeOf<ShapeOf<typeof Entry>['input']>().toEqualTypeOf<{ book: string; line?: string | undefined }>();

const dateAsText = z.codec(z.iso.datetime(), z.date(), { decode: (t) => new Date(t), encode: (d) => d.toISOString() });
const Day = defineEntity('day', z.object({ date: dateAsText }), { id: 'date' });
expectTypeOf<ShapeOf<typeof Day>['id']>().toEqualTypeOf<Date>();
expectTypeOf<ShapeOf<typeof Day>['input']>().toEqualTypeOf<{ date: Date }>();

// @ts-expect-error: an id is needed.
defineEntity('product', fields, {});
// @ts-expect-error: there is no such field.
defineEntity('product', fields, { id: 'skew' });
// @ts-expect-error: an id cannot be empty.
defineEntity('product', fields, { id: 'name' });
// @ts-expect-error: an array is no part of an id.
defineEntity('product', fields, { id: ['sku', 'tags'] });
// @ts-expect-error: an array is no part of an index.
defineEntity('product', fields, { id: 'sku', index: ['tags'] });
// @ts-expect-error: nor of a named one.
defineEntity('product', fields, { id: 'sku', unique: { all: ['name', 'tags'] } });
// @ts-expect-error: a number is no instant.
defineEntity('product', fields, { id: 'sku', deadline: 'stock' });
// @ts-expect-error: the version is not in the object.
defineEntity('product', fields, { id: 'sku', versioned: 'name' });
// @ts-expect-error: no duration.
defineEntity('product', fields, { id: 'sku', ttl: 'soon' });
// @ts-expect-error: the generator makes a string.
defineEntity('shelf', fields, { id: 'bin', generate: uuidv7 });
// @ts-expect-error: the generator of a part makes a string.
defineEntity('shelf', fields, { id: ['region', 'bin'], generate: { bin: uuidv7 } });
// @ts-expect-error: which part?
defineEntity('shelf', fields, { id: ['sku', 'region'], generate: uuidv7 });
// @ts-expect-error: no object.
defineEntity('text', z.string(), { id: 'length' });
