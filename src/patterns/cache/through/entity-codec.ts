import type { EntityModel } from '../../../core/model/model.ts';
import type { Version } from '../../../core/version.ts';
import type { ValueCodec } from '../value-codec.ts';

type Values = Record<string, unknown>;

/** Entities as their own codec writes them, with the version that they were read with. */
export function entityCodec(model: EntityModel): ValueCodec<object> {
  const describe = (): string => `A cached ${model.name}`;
  return {
    // Who reads an entity may change it: that is what entities are for.
    mayFreeze: false,
    encode: (entity) => {
      const body = model.codec.encodeBody(valuesOf(model, entity));
      return `${model.schema} ${versionOf(model, entity) ?? ''}\n${body}`;
    },
    decode: (text) => {
      const start = text.indexOf('\n');
      const [schema, version] = text.slice(0, start).split(' ');
      const body = text.slice(start + 1);
      const envelope = { schema: Number(schema), born: '', seq: 0, ops: '' };
      const { values } = model.codec.decode({ ...model.codec.parseBody(body), envelope, body }, describe);
      // An entity is read and written by field name.
      const entity = Object.assign(model.instantiate(), values) as Values;
      if (model.versionField !== undefined) entity[model.versionField] = version === '' ? undefined : version;
      return entity;
    },
  };
}

/** The version in an entity's field; `undefined` also where it has no such field. */
export function versionOf({ versionField }: EntityModel, entity: object): Version | undefined {
  // As above.
  return versionField === undefined ? undefined : ((entity as Values)[versionField] as Version | undefined);
}

function valuesOf(model: EntityModel, entity: object): Values {
  const values: Values = {};
  for (const field of model.fields) {
    // As above.
    const value = (entity as Values)[field];
    if (value !== undefined) values[field] = value;
  }
  return values;
}
