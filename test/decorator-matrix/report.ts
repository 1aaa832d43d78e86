import type { EntityModel } from '../../src/core/model/index.ts';
import { modelOf } from '../../src/decorators/index.ts';
import * as shop from './entities/shop.ts';

type Source = Parameters<typeof modelOf>[0];

/** Everything that can be seen of the entities, as JSON: the same whoever compiled them. */
export function report(): unknown {
  const described = Object.entries(shop).map(([name, source]) => [name, describe(source)]);
  return JSON.parse(JSON.stringify(Object.fromEntries(described)));
}

/** Which kind of decorators ran. */
export function mode(): 'legacy' | 'standard' {
  return Object.hasOwn(shop.Product, Symbol.metadata) ? 'standard' : 'legacy';
}

/**
 * What is seen of one entity, or what is wrong with it. The scripts that the workshop writes call it by name, too.
 * @public
 */
export function describe(source: Source): unknown {
  try {
    const { codec: _, instantiate, schemaDefaults, ids, embeddings, ...rest } = modelOf(source);
    const [entity, other] = [instantiate(), instantiate()];
    const named = Object.assign(instantiate(), { name: 'Toasted nori' });
    return {
      ...rest,
      ids: ids.map(({ name, generate }) => [name, generate?.name]),
      embeddings: embeddings.map((embedding) => ({ ...embedding, text: embedding.source?.(named) })),
      schemaDefaults: [...schemaDefaults].map(([name, make]) => [name, make()]),
      entity: { ...entity },
      isInstance: typeof source === 'function' && entity instanceof source,
      sharesNothing: Object.values(entity).every(
        (value) => Object(value) !== value || !Object.values(other).includes(value),
      ),
      methods: entity instanceof shop.Product ? [entity.label(), entity.inStock] : [],
      fromOldRecord: decodeOldRecord(modelOf(source)),
    };
  } catch (error) {
    return String(error).split('\n');
  }
}

/** The fields of a record from when the entity had little more than an id. */
function decodeOldRecord({ codec, ids, schema }: EntityModel): unknown {
  const isLine = ids.some(({ name }) => name === 'order');
  const json = isLine
    ? { region: 'east', order: '7', line: 1, shelf: 'A', sku: 'NORI-1' }
    : { id: '018d6c1e-7c1a-7c1a-8c1a-7c1a8c1a7c1a', name: 'Toasted nori' };
  const meta = isLine ? { values: { order: ['bigint'] } } : undefined;
  const { values } = codec.decode(
    { envelope: { schema, born: '', seq: 0, ops: '' }, json, meta, body: '' },
    () => 'it',
  );
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, typeof value === 'bigint' ? `${value}n` : value]),
  );
}
