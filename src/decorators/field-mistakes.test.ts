import { expect, test } from 'vitest';
import { z } from 'zod';
import type { EntitySource } from '../core/model/index.ts';
import type { Version } from '../core/version.ts';
import { defineEntity, Entity, Field, Id, Index, modelOf, Ttl, Unique, Versioned } from './index.ts';

/** What the author of the entity reads. */
function mistakesIn(source: EntitySource): string {
  try {
    modelOf(source);
    return 'none';
  } catch (error) {
    return (error as Error).message; // Nothing else is thrown here.
  }
}

test('decorators go on plain fields', () => {
  @Entity('odd')
  class Odd {
    @Id() id!: string;
    @Field(z.string()) static shared: string;
    // @ts-expect-error: a getter is no field.
    @Field(z.string()) get computed(): string {
      return '';
    }
    // @ts-expect-error: nor a setter.
    @Index() set written(value: string) {
      this.id = value;
    }
    // @ts-expect-error: nor a method.
    @Field(z.string()) method(): string {
      return '';
    }
    // @ts-expect-error: nor does a symbol name a field.
    @Unique() [Symbol.iterator]!: string;
  }
  expect(mistakesIn(Odd)).toMatchInlineSnapshot(`
    "The entity odd (class Odd) has 5 mistakes:
      - Odd.shared is static, and @Field goes on a plain field.
      - Odd.computed is a getter, and @Field goes on a plain field.
      - Odd.written is a setter, and @Index goes on a plain field.
      - Odd.method is a method, and @Field goes on a plain field.
      - Odd.Symbol(Symbol.iterator) is named by a symbol, and @Unique goes on a plain field."
  `);
});

test('decorators of fields do not go on the class', () => {
  // @ts-expect-error: it is for fields.
  @Versioned()
  @Entity('odd')
  class Odd {
    @Id() id!: string;
  }
  expect(mistakesIn(Odd)).toBe(
    'The entity odd (class Odd) has 1 mistake:\n  - Odd is a class, and @Versioned goes on one of its fields.',
  );

  class Standard {}
  const metadata = {};
  const context = { kind: 'class', name: 'Standard', metadata };
  // As a compiler of standard decorators calls them.
  for (const decorate of [Versioned(), Entity('standard')]) {
    (decorate as (target: object, context: object) => void)(Standard, context);
  }
  Object.defineProperty(Standard, Symbol.metadata, { value: metadata });
  expect(mistakesIn(Standard)).toContain('  - Standard is a class, and @Versioned goes on one of its fields.');
});

test('a stored field has one schema', () => {
  @Entity('twice')
  class Twice {
    @Id(z.string()) @Field(z.string()) id!: string;
    @Field(z.string()) @Field(z.string().min(1)) name!: string;
    @Index() city!: string;
    @Ttl() until?: Date;
    // @ts-expect-error: no schema.
    @Field('string') untyped!: string;
  }
  expect(mistakesIn(Twice)).toMatchInlineSnapshot(`
    "The entity twice (class Twice) has 5 mistakes:
      - Twice.id has two schemas. Keep one @Field(schema), or on an id one @Id(schema).
      - Twice.name has two schemas. Keep one @Field(schema), or on an id one @Id(schema).
      - Twice.city has no schema. Put @Field(schema) on it.
      - Twice.until has no schema. Put @Field(schema) on it.
      - Twice.untyped has a schema that is not from zod 4. Pass one, such as z.string()."
  `);
});

test('a schema that cannot be written back is refused', () => {
  @Entity('lossy')
  class Lossy {
    @Id(z.string().transform((text) => text.trim())) id!: string;
    @Field(z.object({ size: z.array(z.number().catch(0)) })) box!: { size: number[] };
    @Field(z.function()) run!: () => unknown;
  }
  expect(mistakesIn(Lossy)).toMatchInlineSnapshot(`
    "The entity lossy (class Lossy) has 3 mistakes:
      - Lossy.id cannot be stored. .transform() and z.preprocess() go one way only and cannot be written back; use z.codec().
      - Lossy.box cannot be stored. At size[]: .catch() would put its own value in place of a stored one that no longer parses, and the next write would make that final; remove it.
      - Lossy.run cannot be stored. z.function() cannot be stored; make it a method of the class."
  `);
});

test('there is one version, and it is not stored', () => {
  @Entity('versions')
  class Versions {
    @Id() id!: string;
    @Versioned() one?: Version;
    // @ts-expect-error: a version is no string that a schema can check.
    @Versioned() @Field(z.string()) two?: Version;
    @Versioned() @Index() three?: Version;
    // @ts-expect-error: a version is no date.
    @Versioned() @Ttl() four?: Version;
  }
  expect(mistakesIn(Versions)).toMatchInlineSnapshot(`
    "The entity versions (class Versions) has 4 mistakes:
      - Versions.two has @Versioned() and a schema. The version is not stored: remove the schema.
      - Versions.four has @Versioned() and @Ttl(). Keep one.
      - Versions has @Versioned() on several fields (one, two, three, four). Keep one.
      - Versions.three has @Index but holds the version, which is not stored. Remove @Index."
  `);
});

test('an id is always there and never changes', () => {
  @Entity('ids')
  class Ids {
    @Id(z.string().optional()) a?: string;
    @Id(z.string().nullable()) b!: string | null;
    @Id(z.string().default('x')) c!: string;
    @Id(z.array(z.string())) d!: string[];
    @Id() @Versioned() e!: Version;
    @Id(z.date()) @Ttl() f!: Date;
  }
  expect(mistakesIn(Ids)).toMatchInlineSnapshot(`
    "The entity ids (class Ids) has 6 mistakes:
      - Ids.a is an id that can be missing. Make its schema neither optional nor nullable; @Id(…, { generate }) fills it in.
      - Ids.b is an id that can be missing. Make its schema neither optional nor nullable; @Id(…, { generate }) fills it in.
      - Ids.c is an id with a default in its schema. Take @Id(…, { generate }), so that each entity gets its own.
      - Ids.d is an id but holds arrays. A key is made of strings, numbers, bigints, booleans, dates and bytes.
      - Ids.e has @Id() and @Versioned(). The version changes with each write, an id never: keep one.
      - Ids.f has @Id() and @Ttl(). A deadline can change, an id never: keep one."
  `);
});

test('a deadline is a date', () => {
  @Entity('deadlines')
  class Deadlines {
    @Id() id!: string;
    // @ts-expect-error: a number is no instant.
    @Field(z.number()) @Ttl() seconds!: number;
    // @ts-expect-error: nor is a text.
    @Field(z.iso.datetime()) @Ttl() text!: string;
    // @ts-expect-error: a duration is for the class.
    @Field(z.date()) @Ttl('5m') date!: Date;
  }
  expect(mistakesIn(Deadlines)).toMatchInlineSnapshot(`
    "The entity deadlines (class Deadlines) has 4 mistakes:
      - Deadlines.date has @Ttl with a duration. On a field @Ttl() takes none: the date in the field is the deadline.
      - Deadlines.seconds has @Ttl() but holds numbers. A number is no instant: it could be seconds or milliseconds. Use z.date(), or a codec to a date.
      - Deadlines.text has @Ttl() but holds strings. Use z.date(), or a codec to a date.
      - Deadlines has @Ttl() on several fields (seconds, text, date). Keep one."
  `);
});

test.each([
  ['date', z.date()],
  ['optional', z.date().optional()],
  ['nullable with a default', z.date().nullable().default(null)],
  [
    'codec',
    z.codec(z.iso.datetime(), z.date(), { decode: (text) => new Date(text), encode: (date) => date.toISOString() }),
  ],
])('a deadline can be: %s', (_, schema) => {
  const Session = defineEntity('session', z.object({ id: z.string(), until: schema }), { id: 'id', deadline: 'until' });
  expect(modelOf(Session).deadlineField).toBe('until');
});

test('an index is on what a key can hold', () => {
  @Entity('indexes')
  class Indexes {
    @Id() id!: string;
    // @ts-expect-error: an array is no part of a key.
    @Field(z.array(z.string())) @Index() tags!: string[];
    // @ts-expect-error: nor is an object.
    @Field(z.object({ city: z.string() })) @Unique() address!: { city: string };
    // @ts-expect-error: nor is one of both.
    @Field(z.union([z.map(z.string(), z.string()), z.string()])) @Index('') @Index() either!:
      | Map<string, string>
      | string;
    // @ts-expect-error: nor is what may be anything.
    @Field(z.unknown()) @Index() whatever!: unknown;
  }
  expect(mistakesIn(Indexes)).toMatchInlineSnapshot(`
    "The entity indexes (class Indexes) has 5 mistakes:
      - Indexes.address has @Unique but holds objects. A key is made of strings, numbers, bigints, booleans, dates and bytes.
      - Indexes.tags has @Index but holds arrays. A key is made of strings, numbers, bigints, booleans, dates and bytes.
      - Indexes has @Index(""), an ill-formed name. Use a plain word.
      - Indexes.either has @Index but holds maps. A key is made of strings, numbers, bigints, booleans, dates and bytes.
      - Indexes.whatever has @Index but holds anything. A key is made of strings, numbers, bigints, booleans, dates and bytes."
  `);
});

test.each(['constructor', 'prototype', '__proto__'])('a field cannot be named %s', (name) => {
  const shape = Object.fromEntries([
    ['id', z.string()],
    [name, z.string()],
  ]);
  expect(mistakesIn(defineEntity('hostile', z.object(shape), { id: 'id' }))).toContain('A field cannot be named');
});
