import { expect, test } from 'vitest';
import { z } from 'zod';
import { declarationOf, Entity, Field, Id } from './index.ts';
import { ownNotes } from './notes.ts';

test('a class nobody decorated has no notes, even if its parent has', () => {
  class Parent {
    @Id() id!: string;
  }
  class Child extends Parent {}
  expect(ownNotes(Parent)?.fields.size).toBe(1);
  expect(ownNotes(Child)).toBeUndefined();
});

test('a descriptor with an initialiser, as Babel passes it, is a field', () => {
  class Product {
    declare id: string;
  }
  const descriptor = { configurable: true, enumerable: true, writable: true, initializer: () => 'x' };
  const decorate = Id() as unknown as (target: object, key: string, descriptor: object) => void; // A call that no type allows.
  decorate(Product.prototype, 'id', descriptor);
  expect(ownNotes(Product)?.fields.has('id')).toBe(true);
});

test('a compiler without metadata is told which setting to change', () => {
  const context = { kind: 'field', name: 'name', static: false, private: false, metadata: undefined };
  const decorate = Field(z.string()) as (target: undefined, context: object) => void; // As older compilers call it.
  expect(() => decorate(undefined, context)).toThrowErrorMatchingInlineSnapshot(
    `[NorimakiError: The compiler made decorators without metadata. Set SWC's decoratorVersion or Babel's version to 2023-11.]`,
  );
});

test('standard and legacy classes extend each other', () => {
  class Legacy {
    @Id() id!: string;
  }
  class Standard extends Legacy {}
  const metadata = {};
  const field = { kind: 'field', name: 'name', static: false, private: false, metadata };
  // As a compiler of standard decorators calls them.
  (Field(z.string()) as (target: undefined, context: object) => void)(undefined, field);
  (Entity('standard') as (target: object, context: object) => void)(Standard, { kind: 'class', metadata });
  Object.defineProperty(Standard, Symbol.metadata, { value: metadata });

  @Entity('again')
  class Again extends Standard {
    @Field(z.string()) more!: string;
  }
  expect(declarationOf(Standard).fields.map(({ name }) => name)).toEqual(['id', 'name']);
  expect(declarationOf(Again).fields.map(({ name }) => name)).toEqual(['id', 'name', 'more']);
});
