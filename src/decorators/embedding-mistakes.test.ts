import { expect, test } from 'vitest';
import { z } from 'zod';
import type { EntitySource } from '../core/model/index.ts';
import type { Version } from '../core/version.ts';
import { defineEntity, Embedding, Entity, Field, Id, Index, modelOf, Ttl, Unique, Versioned } from './index.ts';

/** What the author of the entity reads. */
function mistakesIn(source: EntitySource): string {
  try {
    modelOf(source);
    return 'none';
  } catch (error) {
    return (error as Error).message; // Nothing else is thrown here.
  }
}

const fields = z.object({
  id: z.string(),
  name: z.string(),
  stock: z.number(),
  sizes: z.array(z.number()).optional(),
  tags: z.set(z.string()),
  whatever: z.unknown(),
});

/** What the author reads who told `@Embedding` so, less the heading. */
function mistakesOf(options: unknown): string {
  // As a program without types passes it.
  const embeddings = { vector: options } as unknown as { vector: { dimensions: number } };
  return mistakesIn(defineEntity('product', fields, { id: 'id', embeddings })).replace(/.*\n {2}- /, '');
}

const embedder = { id: 'acme', dimensions: 2, embed: async () => [] };

test.each<[unknown, string]>([
  [
    {},
    "product.vector has @Embedding without a source. Say what it embeds: { from: 'name' }; or, for vectors that you give, how long they are: { dimensions: 384 }.",
  ],
  [
    undefined,
    "product.vector has @Embedding without a source. Say what it embeds: { from: 'name' }; or, for vectors that you give, how long they are: { dimensions: 384 }.",
  ],
  [
    { from: 'name', dimensions: 3 },
    'product.vector has @Embedding with from and dimensions. The embedder knows its dimensions: remove them.',
  ],
  ...[0, -1, 1.5, 4097, Number.NaN, '3'].map((dimensions): [unknown, string] => [
    { dimensions },
    'product.vector has @Embedding with dimensions that are no whole number from 1 to 4096.',
  ]),
  [
    { dimensions: 3, mode: 'deferred' },
    "product.vector has @Embedding in mode 'deferred' without from. A vector that is given is there at once: remove mode.",
  ],
  [
    { dimensions: 3, embedder },
    'product.vector has @Embedding with an embedder but without from. Say what to embed, or remove embedder.',
  ],
  ...[null, 'acme', {}, { ...embedder, id: '' }, { ...embedder, dimensions: 0 }, { ...embedder, embed: 1 }].map(
    (embedder): [unknown, string] => [
      { from: 'name', embedder },
      'product.vector has @Embedding with an embedder that is none. An embedder has an id, dimensions from 1 to 4096 and a function embed.',
    ],
  ),
  [
    { from: 'name', metric: 'manhattan' },
    "product.vector has @Embedding with another metric than there is. Take 'cosine', 'euclidean', or 'innerProduct'.",
  ],
  [
    { from: 'name', mode: 'later' },
    "product.vector has @Embedding with another mode than there is. Take 'inline' or 'deferred'.",
  ],
  [
    { from: 'name', index: null },
    "product.vector has @Embedding with another index than there is. Take 'hnsw' or 'exact'.",
  ],
  ...['', 2, null].map((template): [unknown, string] => [
    { from: 'name', template },
    "product.vector has @Embedding with a template that is no name. Take a text, such as template: '2'.",
  ]),
  [
    { dimensions: 3, chunk: { size: 100 } },
    'product.vector has @Embedding with chunk but without from. Only a text is cut: remove chunk.',
  ],
  ...[null, 800, 'x'].map((chunk): [unknown, string] => [
    { from: 'name', chunk },
    'product.vector has @Embedding with a chunk that is none. Write chunk: { size: 800, overlap: 100 }.',
  ]),
  ...[undefined, 15, 100_001, 20.5, '800'].map((size): [unknown, string] => [
    { from: 'name', chunk: { size } },
    'product.vector has @Embedding with a chunk.size that is no whole number from 16 to 100000.',
  ]),
  ...[-1, 51, 0.5, null].map((overlap): [unknown, string] => [
    { from: 'name', chunk: { size: 101, overlap } },
    'product.vector has @Embedding with a chunk.overlap that is no whole number from 0 to half of chunk.size.',
  ]),
  ...[0, 4096, 1.5].map((limit): [unknown, string] => [
    { from: 'name', chunk: { size: 100, limit } },
    'product.vector has @Embedding with a chunk.limit that is no whole number from 1 to 4095.',
  ]),
  [{ from: [] }, 'product.vector has @Embedding from no field. Name one, or leave from out and give the vectors.'],
  [{ from: ['name', 'name'] }, 'product.vector has @Embedding from a field twice. Name each once.'],
  ...[7, null, { name: true }, ['name', 7]].map((from): [unknown, string] => [
    { from },
    "product.vector has @Embedding with a from that is no field, list of fields or function. Write from: 'name'.",
  ]),
  ...['nam', '', 'vector'].map((from): [unknown, string] => [
    { from: ['name', from] },
    `product.vector has @Embedding from "${from}", which is no stored field. Name one, or use a function: (entity) => text.`,
  ]),
  ...[
    ['stock', 'numbers'],
    ['sizes', 'arrays'],
    ['tags', 'sets'],
    ['whatever', 'anything'],
  ].map(([from, kinds]): [unknown, string] => [
    { from },
    `product.vector has @Embedding from ${from}, which holds ${kinds}. Make it a text with a function: (entity) => text.`,
  ]),
])('an embedding cannot be told: %o', (options, mistake) => {
  expect(mistakesOf(options)).toBe(mistake);
});

test.each<[unknown]>([
  [{ from: 'name' }],
  [{ from: () => 'x' }],
  [{ from: 'name', embedder }],
  [{ from: 'name', mode: 'deferred', metric: 'innerProduct', index: 'exact', template: '2' }],
  [{ dimensions: 1 }],
  [{ dimensions: 4096, mode: 'inline', template: 'clip' }],
])('an embedding can be told: %o', (options) => {
  expect(mistakesOf(options)).toBe('none');
});

test('a name is a plain word', () => {
  const names = ['', ' text', 'te\nxt', 'te\ud800xt', 'ß'.repeat(33), 'constructor', '__proto__'];
  const mistakes = names.map((name) => {
    @Entity('product')
    @Embedding(name, { from: 'id' })
    class Product {
      @Id() id!: Id<string>;
    }
    return mistakesIn(Product).replace(/.*\n/, '');
  });
  expect(mistakes.join('\n')).toMatchInlineSnapshot(`
    "  - Product has @Embedding(""), an ill-formed name. Use a plain word.
      - Product has @Embedding(" text"), an ill-formed name. Use a plain word.
      - Product has @Embedding("te\\nxt"), an ill-formed name. Use a plain word.
      - Product has @Embedding("te\\ud800xt"), an ill-formed name. Use a plain word.
      - Product has @Embedding with a name of 66 bytes. Use at most 64.
      - Product has @Embedding("constructor"). A field cannot be named constructor: every object has that already, or superjson refuses it.
      - Product has @Embedding("__proto__"). A field cannot be named __proto__: every object has that already, or superjson refuses it."
  `);
  expect(mistakesIn(defineEntity('p', fields, { id: 'id', embeddings: { ['x'.repeat(64)]: { from: 'name' } } }))).toBe(
    'none',
  );
});

test('a vector has a field of its own', () => {
  @Entity('mixed')
  @Embedding('name', { from: 'name' })
  @Embedding('version', { from: 'name' })
  @Embedding('g', { from: 'name' })
  class Mixed {
    // @ts-expect-error: a vector is no id.
    @Id() @Embedding({ from: 'name' }) a?: Float32Array;
    @Field(z.string()) name!: string;
    @Field(z.instanceof(Float32Array).optional()) @Embedding({ from: 'name' }) b?: Float32Array;
    // @ts-expect-error: nor a version.
    @Versioned() @Embedding({ from: 'name' }) c?: Float32Array;
    // @ts-expect-error: nor a date.
    @Ttl() @Embedding({ from: 'name' }) d?: Float32Array;
    // @ts-expect-error: nor a part of a key.
    @Unique() @Index() @Embedding({ from: 'name' }) e?: Float32Array;
    @Embedding({ from: 'name' }) @Embedding({ from: 'name' }) f?: Float32Array;
    @Embedding({ from: 'name' }) g?: Float32Array;
    @Versioned() version?: Version;
  }
  expect(mistakesIn(Mixed)).toMatchInlineSnapshot(`
    "The entity mixed (class Mixed) has 10 mistakes:
      - Mixed.f has @Embedding twice. Keep one.
      - Mixed has @Versioned() on several fields (c, version). Keep one.
      - Mixed.a has @Embedding and @Id. The field only takes a vector and is not stored: remove @Id, or give the embedding a field of its own.
      - Mixed.b has @Embedding and @Field. The field only takes a vector and is not stored: remove @Field, or give the embedding a field of its own.
      - Mixed.c has @Embedding and @Versioned. The field only takes a vector and is not stored: remove @Versioned, or give the embedding a field of its own.
      - Mixed.d has @Embedding and @Ttl. The field only takes a vector and is not stored: remove @Ttl, or give the embedding a field of its own.
      - Mixed.e has @Embedding and @Unique and @Index. The field only takes a vector and is not stored: remove @Unique and @Index, or give the embedding a field of its own.
      - Mixed has @Embedding("name"), the name of a field. Give the embedding another name.
      - Mixed has @Embedding("version"), the name of a field. Give the embedding another name.
      - Mixed has two embeddings named g, on the field and on the class. Keep one."
  `);
  const Defined = defineEntity('defined', fields, {
    id: 'id',
    versioned: 'version',
    embeddings: {
      // @ts-expect-error: the name is stored.
      name: { from: 'name' },
      version: { from: 'name' },
    },
  });
  expect(mistakesIn(Defined)).toMatchInlineSnapshot(`
    "The entity defined has 2 mistakes:
      - defined.name has @Embedding and @Field. The field only takes a vector and is not stored: remove @Field, or give the embedding a field of its own.
      - defined.version has @Embedding and @Versioned. The field only takes a vector and is not stored: remove @Versioned, or give the embedding a field of its own."
  `);
});

test('the version is not stored, so it cannot be embedded', () => {
  const options = { id: 'id', versioned: 'version', embeddings: { vector: { from: 'version' } } } as const;
  // @ts-expect-error: it is not in the object.
  expect(mistakesIn(defineEntity('product', fields, options))).toContain('from "version", which is no stored field.');
});

test('an embedding has a name on a class, and none on a field', () => {
  @Entity('misplaced')
  // @ts-expect-error: no name.
  @Embedding({ from: 'id' })
  @Embedding('text', { from: 'id' })
  @Embedding('text', { dimensions: 3 })
  class Misplaced {
    @Id() id!: Id<string>;
    // @ts-expect-error: a name.
    @Embedding('vector', { from: 'id' }) vector?: Float32Array;
    // @ts-expect-error: a name that was meant for from.
    @Embedding('id') other?: Float32Array;
    // @ts-expect-error: nothing.
    @Embedding() bare?: Float32Array;
    // @ts-expect-error: a method is no field.
    @Embedding({ from: 'id' }) method(): void {}
  }
  expect(mistakesIn(Misplaced)).toMatchInlineSnapshot(`
    "The entity misplaced (class Misplaced) has 7 mistakes:
      - Misplaced.vector has @Embedding with a name. On a field it takes none: @Embedding({ from: … }).
      - Misplaced.other has @Embedding with a name. On a field it takes none: @Embedding({ from: … }).
      - Misplaced.method is a method, and @Embedding goes on a plain field.
      - Misplaced has @Embedding("text") twice. Keep one.
      - Misplaced has @Embedding without a name. On a class it takes one: @Embedding('text', { from: … }).
      - Misplaced.other has @Embedding without a source. Say what it embeds: { from: 'name' }; or, for vectors that you give, how long they are: { dimensions: 384 }.
      - Misplaced.bare has @Embedding without a source. Say what it embeds: { from: 'name' }; or, for vectors that you give, how long they are: { dimensions: 384 }."
  `);
});

test('an embedding of a parent is not that of a field', () => {
  class Parent {
    @Id() id!: Id<string>;
    @Embedding({ from: 'id' }) vector?: Float32Array;
  }
  @Entity('child')
  @Embedding('vector', { dimensions: 3 })
  class Child extends Parent {}
  expect(mistakesIn(Child)).toMatchInlineSnapshot(`
    "The entity child (class Child) has 1 mistake:
      - Child has two embeddings named vector, on the field and on the class. Keep one."
  `);
});
