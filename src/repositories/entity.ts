import type { Environment } from '../core/clock.ts';
import { NorimakiError } from '../core/errors.ts';
import { type EntityModel, TENANT_FIELD } from '../core/model/model.ts';
import type { Version } from '../core/version.ts';
import { checkTenant } from './tenancy/tenant-model.ts';
import { type GivenVectors, givenVectors } from './vectors/given.ts';

export type Values = Record<string, unknown>;

/** An instance of the user's class with these values. */
export function hydrate(model: EntityModel, values: Readonly<Values>, version: Version | undefined): object {
  // An entity is read and written by field name.
  const entity = Object.assign(model.instantiate(), values) as Values;
  if (model.versionField !== undefined) entity[model.versionField] = version;
  return entity;
}

/** The stored fields of an entity. */
export function dehydrate(model: EntityModel, entity: object): Values {
  const values: Values = {};
  for (const field of model.fields) {
    // An entity is read and written by field name.
    const value = (entity as Values)[field];
    if (value !== undefined) values[field] = value;
  }
  return values;
}

/** What `create` or `put` was given. */
export interface Input {
  /** The stored fields, defaults and a generated id filled in. */
  readonly values: Values;
  readonly given: GivenVectors | undefined;
}

export function fromInput(model: EntityModel, input: unknown, environment: Environment): Input {
  if (typeof input !== 'object' || input === null) {
    throw new NorimakiError('argument.invalid', `${model.name} is made from an object of its fields.`, {
      argument: 'entity',
    });
  }
  const blank = model.instantiate();
  checkTenant(model, input);
  refuseUnknownFields(model, input, blank);
  const values = { ...dehydrate(model, blank), ...dehydrate(model, input) };
  for (const [field, makeDefault] of model.schemaDefaults) {
    if (values[field] === undefined) values[field] = makeDefault();
  }
  for (const { name, generate } of model.ids) {
    if (values[name] === undefined && generate !== undefined) values[name] = generate(environment);
  }
  return { values, given: givenVectors(model, input, () => hydrate(model, values, undefined)) };
}

function refuseUnknownFields(model: EntityModel, input: object, blank: object): void {
  // An instance of the entity's class may carry state of its own that is not stored.
  if (
    Object.getPrototypeOf(blank) !== Object.prototype &&
    Object.getPrototypeOf(input) === Object.getPrototypeOf(blank)
  ) {
    return;
  }
  const isKnown = (key: string): boolean =>
    model.fields.includes(key) ||
    key === model.versionField ||
    (model.tenantScoped && key === TENANT_FIELD) ||
    model.embeddings.some(({ name, isField }) => isField && name === key);
  const unknown = Object.keys(input).filter((key) => !isKnown(key));
  if (unknown.length === 0) return;
  throw new NorimakiError(
    'validation.failed',
    `${model.name} has no field ${unknown.map((key) => JSON.stringify(key)).join(', ')}; its fields are ${model.fields.join(', ')}.`,
    { entity: model.name, issues: unknown.map((key) => ({ path: [key], message: 'is not a field' })) },
  );
}
