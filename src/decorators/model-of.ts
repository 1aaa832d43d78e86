import { compileModel, type EntityModel, type EntitySource } from '../core/model/index.ts';
import { declarationOf } from './declaration.ts';

// A cache only: a class is compiled to the same model each time.
const models = new WeakMap<object, EntityModel>();

/**
 * The checked model of a decorated class or of the result of `defineEntity`; compiled once.
 * Errors: `model.invalid` with every mistake, `argument.invalid` for anything that is no entity.
 */
export function modelOf(source: EntitySource): EntityModel {
  const known = models.get(source);
  if (known !== undefined) return known;
  const model = compileModel(declarationOf(source));
  models.set(source, model);
  return model;
}
