import { expect, test } from 'vitest';
import { z } from 'zod';
import type { Default, EntityModel } from '../core/model/index.ts';
import type { Version } from '../core/version.ts';
import {
  declarationOf,
  defineEntity,
  Entity,
  Field,
  Id,
  Index,
  modelOf,
  Ttl,
  Unique,
  uuidv7,
  Versioned,
} from './index.ts';

function plain({ codec: _, instantiate: __, schemaDefaults, ...rest }: EntityModel): unknown {
  return { ...rest, schemaDefaults: [...schemaDefaults].map(([name, make]) => [name, make()]) };
}

const upcast = { 1: (fields: Record<string, unknown>) => fields };

@Entity('product', { schema: 2, upcast, ring: 8 })
@Ttl('30m', { onWrite: 'renew' })
class Decorated {
  @Id(z.uuid(), { generate: uuidv7 }) id!: Default<Id<string>>;
  @Field(z.string()) @Unique() @Unique('place') name!: string;
  @Field(z.number().default(0)) @Unique('place') @Index('stock') stock!: Default<number>;
  @Field(z.date().nullish()) @Ttl() until?: Date | null;
  @Versioned() version?: Version;
}

const fields = z.object({
  id: z.uuid(),
  name: z.string(),
  stock: z.number().default(0),
  until: z.date().nullish(),
});

test('gives the same model as a decorated class', () => {
  const Defined = defineEntity('product', fields, {
    id: 'id',
    generate: uuidv7,
    versioned: 'version',
    ttl: { duration: '30m', onWrite: 'renew' },
    deadline: 'until',
    unique: { name: ['name'], place: ['name', 'stock'] },
    index: ['stock'],
    schema: 2,
    upcast,
    ring: 8,
  });
  expect(plain(modelOf(Defined))).toEqual(plain(modelOf(Decorated)));
  const values = { id: '018d6c1e-7c1a-7c1a-8c1a-7c1a8c1a7c1a', name: 'Nori', stock: 1, until: new Date(0) };
  expect(modelOf(Defined).codec.encodeBody(values)).toBe(modelOf(Decorated).codec.encodeBody(values));
});

test('takes its own order for ids and groups', () => {
  const Shelf = defineEntity('shelf', fields, {
    id: ['name', 'id'],
    generate: { id: uuidv7 },
    index: { byStock: ['stock', 'name'] },
    ttl: 5_000,
  });
  const model = modelOf(Shelf);
  expect(model.ids).toEqual([{ name: 'name' }, { name: 'id', generate: uuidv7 }]);
  expect(model.indexes).toEqual([{ name: 'byStock', fields: ['stock', 'name'] }]);
  expect(model.fields).toEqual(['id', 'name', 'stock', 'until']);
  expect(model.ttl).toEqual({ ms: 5_000 });
});

test('its entities are plain objects', () => {
  const Plain = defineEntity('plain', fields, { id: 'id' });
  expect(Plain.name).toBe('plain');
  expect(declarationOf(Plain).instantiate()).toEqual({});
  expect(modelOf(Plain).instantiate()).not.toBe(modelOf(Plain).instantiate());
});

test('takes a strict object, and one made of others', () => {
  const strict = z.strictObject({ id: z.string() });
  expect(modelOf(defineEntity('strict', strict, { id: 'id' })).fields).toEqual(['id']);
  expect(modelOf(defineEntity('more', strict.extend({ a: z.string() }), { id: 'id' })).fields).toEqual(['id', 'a']);
});
