import { expect, test } from 'vitest';
import { z } from 'zod';
import { NorimakiError } from '../core/errors.ts';
import type { EntitySource } from '../core/model/index.ts';
import { defineEntity, Entity, Field, Id, Index, modelOf, Ttl } from './index.ts';

/** What the author of the entity reads. */
function mistakesIn(source: EntitySource): string {
  try {
    modelOf(source);
    return 'none';
  } catch (error) {
    return (error as Error).message; // Nothing else is thrown here.
  }
}

test('all mistakes are told at once', () => {
  @Entity('basket', { ring: 0 })
  @Ttl('0s')
  class Basket {
    @Field(z.string().transform((text) => text.length)) items!: number;
    @Index() owner!: string;
  }
  expect(mistakesIn(Basket)).toMatchInlineSnapshot(`
    "The entity basket (class Basket) has 5 mistakes:
      - Basket has no id. Put @Id() on a field, or name it in the option id of defineEntity.
      - Basket has @Ttl with a duration of zero: records would be gone at once.
      - Basket has a ring of 0. Use a whole number from 1 to 1024.
      - Basket.items cannot be stored. .transform() and z.preprocess() go one way only and cannot be written back; use z.codec().
      - Basket.owner has no schema. Put @Field(schema) on it."
  `);
});

test('an entity needs an id', () => {
  @Entity('note')
  class Note {
    @Field(z.string()) text!: string;
  }
  expect(mistakesIn(Note)).toMatchInlineSnapshot(`
    "The entity note (class Note) has 1 mistake:
      - Note has no id. Put @Id() on a field, or name it in the option id of defineEntity."
  `);
  // @ts-expect-error: the option id is required.
  expect(mistakesIn(defineEntity('note', z.object({ text: z.string() }), {}))).toMatchInlineSnapshot(`
    "The entity note has 1 mistake:
      - note has no id. Put @Id() on a field, or name it in the option id of defineEntity."
  `);
});

test('an entity needs @Entity on itself', () => {
  class Plain {
    @Id() id!: string;
  }
  expect(mistakesIn(Plain)).toMatchInlineSnapshot(`
    "The entity Plain has 1 mistake:
      - Plain has no @Entity. Put @Entity('name') on the class."
  `);

  @Entity('parent')
  class Parent {
    @Id() id!: string;
  }
  class Child extends Parent {}
  expect(mistakesIn(Child)).toMatchInlineSnapshot(`
    "The entity Child has 1 mistake:
      - Child has no @Entity of its own, and inherits none from Parent. Put @Entity('name') on the class."
  `);
  expect(mistakesIn(Parent)).toBe('none');
});

test('a name is a plain word', () => {
  const messages = ['', ' product', 'pro\nduct', 'pro\ud800duct', 'p'.repeat(129)].map((name) => {
    @Entity(name)
    class Product {
      @Id() id!: string;
    }
    return mistakesIn(Product);
  });
  expect(messages.join('\n')).toMatchInlineSnapshot(`
    "The entity "" (class Product) has 1 mistake:
      - Product has an empty name. Name it: @Entity('product').
    The entity " product" (class Product) has 1 mistake:
      - Product has an ill-formed name: it holds a control character, a lone surrogate, or a space at an end. Use a plain word.
    The entity "pro\\nduct" (class Product) has 1 mistake:
      - Product has an ill-formed name: it holds a control character, a lone surrogate, or a space at an end. Use a plain word.
    The entity "pro\\ud800duct" (class Product) has 1 mistake:
      - Product has an ill-formed name: it holds a control character, a lone surrogate, or a space at an end. Use a plain word.
    The entity "pppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp" (class Product) has 1 mistake:
      - Product has a name of 129 bytes. It is part of every key: use at most 128."
  `);
});

test('a constructor takes no arguments', () => {
  @Entity('account')
  class Account {
    @Id() id!: string;
    constructor(options?: { readonly owner: string }) {
      this.owner = (options as { owner: string }).owner;
    }
    @Field(z.string()) owner: string;
  }
  expect(mistakesIn(Account)).toMatchInlineSnapshot(`
    "The entity account (class Account) has 1 mistake:
      - Account could not be made: its constructor threw (Cannot read properties of undefined (reading 'owner')). Entities are made with new and no arguments; give fields their values in initialisers."
  `);
});

test('a decorator stands once', () => {
  @Entity('a')
  @Entity('b')
  @Ttl('1m')
  @Ttl('2m')
  class Doubled {
    @Id() @Id() id!: string;
  }
  expect(mistakesIn(Doubled)).toMatchInlineSnapshot(`
    "The entity b (class Doubled) has 3 mistakes:
      - Doubled.id has @Id twice. Keep one.
      - Doubled has @Ttl twice. Keep one.
      - Doubled has @Entity twice. Keep one."
  `);
});

test('a class lives for a length of time', () => {
  const messages = ['0ms', 'soon', -1, Number.NaN].map((duration) => {
    @Entity('session')
    // @ts-expect-error: not all of these are durations, nor is this a policy.
    @Ttl(duration, { onWrite: 'extend' })
    class Session {
      @Id() id!: string;
    }
    return mistakesIn(Session);
  });
  expect(messages.join('\n')).toMatchInlineSnapshot(`
    "The entity session (class Session) has 2 mistakes:
      - Session has @Ttl with an onWrite that is neither 'keep' nor 'renew'.
      - Session has @Ttl with a duration of zero: records would be gone at once.
    The entity session (class Session) has 2 mistakes:
      - Session has @Ttl with an onWrite that is neither 'keep' nor 'renew'.
      - Session has @Ttl with what is not a duration. Write '30m', '12h', '7d', or milliseconds as a number.
    The entity session (class Session) has 2 mistakes:
      - Session has @Ttl with an onWrite that is neither 'keep' nor 'renew'.
      - Session has @Ttl with what is not a duration. Write '30m', '12h', '7d', or milliseconds as a number.
    The entity session (class Session) has 2 mistakes:
      - Session has @Ttl with an onWrite that is neither 'keep' nor 'renew'.
      - Session has @Ttl with what is not a duration. Write '30m', '12h', '7d', or milliseconds as a number."
  `);

  // @ts-expect-error: without a duration it is for a field.
  @Ttl()
  @Entity('session')
  class Forgotten {
    @Id() id!: string;
  }
  expect(mistakesIn(Forgotten)).toMatchInlineSnapshot(`
    "The entity session (class Forgotten) has 1 mistake:
      - Forgotten has @Ttl() without a duration. Say how long: @Ttl('30m')."
  `);
});

test('an upcast leads to the schema version', () => {
  const keep = (fields: Record<string, unknown>) => fields;
  const messages = [
    { schema: 0 },
    { schema: 1.5 },
    { upcast: { 1: keep } },
    { schema: 3, upcast: { 0: keep, 1: keep, 3: keep } },
    { schema: 3, upcast: JSON.parse('{"one": 1, "2": 2}') },
  ].map((options) => mistakesIn(defineEntity('old', z.object({ id: z.string() }), { id: 'id', ...options })));
  expect(messages.join('\n')).toMatchInlineSnapshot(`
    "The entity old has 1 mistake:
      - old has the schema version 0. Use a whole number from 1 on.
    The entity old has 1 mistake:
      - old has the schema version 1.5. Use a whole number from 1 on.
    The entity old has 1 mistake:
      - old has the upcast 1, but there are no steps to schema 1. Step n turns version n into n + 1.
    The entity old has 2 mistakes:
      - old has the upcast 0, but steps to schema 3 are 1 to 2. Step n turns version n into n + 1.
      - old has the upcast 3, but steps to schema 3 are 1 to 2. Step n turns version n into n + 1.
    The entity old has 2 mistakes:
      - old has an upcast 2 that is no function.
      - old has the upcast one, but steps to schema 3 are 1 to 2. Step n turns version n into n + 1."
  `);
});

test('a ring remembers 1 to 1024 operations', () => {
  const messages = [0, 1025, 2.5].map((ring) =>
    mistakesIn(defineEntity('r', z.object({ id: z.string() }), { id: 'id', ring })),
  );
  expect(messages.join('\n')).toMatchInlineSnapshot(`
    "The entity r has 1 mistake:
      - r has a ring of 0. Use a whole number from 1 to 1024.
    The entity r has 1 mistake:
      - r has a ring of 1025. Use a whole number from 1 to 1024.
    The entity r has 1 mistake:
      - r has a ring of 2.5. Use a whole number from 1 to 1024."
  `);
  expect(mistakesIn(defineEntity('r', z.object({ id: z.string() }), { id: 'id', ring: 1024 }))).toBe('none');
});

test.each([
  ['no options', [z.object({ id: z.string() })]],
  ['no zod object', [{ id: z.string() }, { id: 'id' }]],
  ['options in place of the object', [{ id: 'id', schema: z.object({ id: z.string() }) }]],
])('defineEntity called by a program without types: %s', (_, rest) => {
  const call = defineEntity as unknown as (...args: unknown[]) => unknown;
  expect(() => call('film', ...rest)).toThrow(
    "defineEntity takes a name, a z.object() and options: defineEntity('film', z.object({ … }), { id: 'id' }).",
  );
});

test('defineEntity takes a plain object of fields', () => {
  const fields = z.object({ id: z.string(), version: z.string() });
  // @ts-expect-error: no object.
  expect(mistakesIn(defineEntity('text', z.string(), { id: 'id' }))).toMatchInlineSnapshot(`
    "The entity text has 2 mistakes:
      - text is defined by a schema of type string. Pass a z.object().
      - text has no field id, which its id names. Name one of its fields."
  `);
  const odd = z.looseObject({ id: z.string(), version: z.string() }).refine(({ id }) => id !== '');
  const options = { id: ['id', 'id', 'nope'], versioned: 'version', index: { none: [], a: ['id', 'id'], b: ['nope'] } };
  // @ts-expect-error: names that are no fields.
  expect(mistakesIn(defineEntity('odd', odd, options))).toMatchInlineSnapshot(`
    "The entity odd has 8 mistakes:
      - odd has a check on the whole object, which would never run. Put checks on its fields.
      - odd takes unknown fields (z.looseObject or catchall). Name every field.
      - odd.version is both in the zod object and the field of the version. The version is not stored: take it out of the object.
      - odd names id twice in its id. Name it once.
      - odd has no field nope, which its id names. Name one of its fields.
      - odd has @Index("none") on no field. Name its fields.
      - odd has @Index("a") on a field twice. Name each once.
      - odd has no field nope, which @Index("b") names. Name one of its fields."
  `);
  // @ts-expect-error: no such fields.
  const names = () => defineEntity('odd', fields, { id: 'id', deadline: 'a', index: ['id', 'id'], unique: ['b'] });
  expect(mistakesIn(names())).toMatchInlineSnapshot(`
    "The entity odd has 3 mistakes:
      - odd has no field a, which its deadline names. Name one of its fields.
      - odd has no field b, which @Unique("b") names. Name one of its fields.
      - odd has @Index("id") twice. Keep one."
  `);
});

test('anything else is no entity', () => {
  for (const source of [undefined, null, {}, 'product', () => ({}), z.object({})]) {
    // @ts-expect-error: none of these is a source.
    expect(() => modelOf(source)).toThrow(NorimakiError);
  }
});
