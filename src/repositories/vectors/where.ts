import { NorimakiError } from '../../core/errors.ts';
import { compareKeys, encodeTuple, type KeyPart } from '../../core/keys/index.ts';
import type { EntityModel } from '../../core/model/model.ts';
import type { Range } from '../../core/model/types.ts';
import type { Version } from '../../core/version.ts';
import { hydrate, type Values } from '../entity.ts';
import { bounds, type Conditions, isRange } from '../verbs/find.ts';

/** Whether a record is one that a search is for. */
export type IsWanted = (values: Readonly<Values>, version: Version) => boolean;

/** Conditions and a predicate as one test; `undefined` where there is neither. Errors: as `matcher`, those of the predicate. */
export function wanting(
  model: EntityModel,
  where: Conditions | undefined,
  filter: ((entity: object) => boolean) | undefined,
): IsWanted | undefined {
  const fits = where && matcher(model, where);
  if (filter === undefined) return fits;
  if (typeof filter !== 'function') throw notATest(model, 'is no function');
  return (values, version) => {
    if (fits?.(values) === false) return false;
    // A program without types may answer anything.
    const answer: unknown = filter(hydrate(model, values, version));
    if (answer instanceof Promise) throw notATest(model, 'answers by a promise');
    return Boolean(answer);
  };
}

function notATest({ name }: EntityModel, what: string): NorimakiError<'argument.invalid'> {
  return new NorimakiError('argument.invalid', `The filter of ${name} ${what}. Pass (entity) => boolean.`, {
    argument: 'filter',
  });
}

const NO_PREFIX = new Uint8Array(0);

/**
 * Conditions as a test of the fields of a record: with the order, and the errors, of `find` on an index.
 * Errors: `argument.invalid` for an unknown field and for a condition that is none.
 */
function matcher(model: EntityModel, where: Conditions): (values: Readonly<Values>) => boolean {
  const tests = Object.entries(where).map(([field, condition]) => {
    if (!model.fields.includes(field) || condition === undefined) {
      throw new NorimakiError(
        'argument.invalid',
        `The condition on ${model.name}.${field} names no field, or is undefined. Leave it out, or give a value.`,
        { argument: 'where' },
      );
    }
    if (isRange(condition)) {
      // isRange has chosen it; the encoding refuses bounds that are no key parts.
      const { start, end } = bounds(NO_PREFIX, condition as Range<KeyPart>, `${model.name}.${field}`);
      return (values: Readonly<Values>): boolean => {
        const key = keyOf(values[field]);
        return key !== undefined && compareKeys(key, start) >= 0 && compareKeys(key, end) < 0;
      };
    }
    // A condition that is no key part is refused by the encoding, here rather than at the first record.
    const wanted = encodeTuple([condition as KeyPart]);
    return (values: Readonly<Values>): boolean => {
      const key = keyOf(values[field]);
      return key !== undefined && compareKeys(key, wanted) === 0;
    };
  });
  return (values) => tests.every((test) => test(values));
}

/** As the value would be in an index; an unset one is in none. */
function keyOf(value: unknown): Uint8Array | undefined {
  // Conditions are typed for fields with key parts; a field that holds something else matches none.
  return value === undefined || !isKeyPart(value) ? undefined : encodeTuple([value]);
}

function isKeyPart(value: unknown): value is KeyPart {
  if (value === null || value instanceof Date || value instanceof Uint8Array) return true;
  return typeof value !== 'object' && typeof value !== 'symbol' && typeof value !== 'function';
}
