import { NorimakiError } from '../../core/errors.ts';
import { compareKeys, encodeTuple, type KeyPart, keyName, kindRange, prefixRange } from '../../core/keys/index.ts';
import type { FieldGroup } from '../../core/model/model.ts';
import type { Range } from '../../core/model/types.ts';
import type { KeyRange, ReadOptions, ScanPage } from '../../core/store.ts';
import type { RepositoryContext } from '../context.ts';
import { snapshotOf } from '../snapshot.ts';
import { claimOwner } from '../write/claims.ts';
import { derivedKeys } from '../write/derived-keys.ts';
import { type ListOptions, type Page, readAll, readPage } from './pages.ts';
import { entityOf } from './results.ts';

export type Conditions = Readonly<Record<string, unknown>>;

const BOUNDS: readonly string[] = ['gt', 'gte', 'lt', 'lte'];

export function isRange(value: unknown): value is Range<KeyPart> {
  return typeof value === 'object' && value !== null && !(value instanceof Date) && !(value instanceof Uint8Array);
}

function refuse(message: string): never {
  throw new NorimakiError('argument.invalid', message, { argument: 'where' });
}

export interface IndexRange extends KeyRange {
  readonly group: FieldGroup;
}

/** The part of an index that conditions select; `undefined` where no index serves them. Errors: `argument.invalid`. */
export function servingRange({ model, keys }: RepositoryContext, where: Conditions): IndexRange | undefined {
  const fields = Object.keys(where);
  const ranged = fields.filter((field) => isRange(where[field]));
  for (const field of fields) {
    if (where[field] === undefined)
      refuse(`The condition on ${model.name}.${field} is undefined; leave it out, or give a value.`);
  }
  const group = model.indexes.find(({ fields: indexed }) => {
    const leading = indexed.slice(0, fields.length);
    const last = leading[leading.length - 1];
    return (
      leading.length === fields.length && leading.every((f) => fields.includes(f)) && ranged.every((f) => f === last)
    );
  });
  if (group === undefined || fields.length === 0 || ranged.length > 1) return undefined;
  const equal = group.fields.slice(0, fields.length - ranged.length);
  // Conditions are key parts by type; the encoding refuses anything else.
  const prefix = keys.indexPrefix(
    group,
    equal.map((field) => where[field] as KeyPart),
  );
  const [field] = ranged;
  if (field === undefined) return { group, ...prefixRange(prefix) };
  // isRange has chosen it.
  return { group, ...bounds(prefix, where[field] as Range<KeyPart>, `${model.name}.${field}`) };
}

function indexRange(context: RepositoryContext, where: Conditions): IndexRange {
  const range = servingRange(context, where);
  if (range !== undefined) return range;
  return refuse(
    `No index of ${context.model.name} serves conditions on ${Object.keys(where).join(', ') || 'nothing'}. Put @Index() on the field; for several fields one name, as in @Index('a'), declared with the field of the range last.`,
  );
}

/** The keys behind `prefix` whose next part is in the range. `field` names it in errors. */
export function bounds(prefix: Uint8Array, range: Range<KeyPart>, field: string): KeyRange {
  const { gt, gte, lt, lte } = range;
  const given = [gt, gte, lt, lte].filter((bound) => bound !== undefined);
  const [some] = given;
  const unknown = Object.keys(range).find((key) => !BOUNDS.includes(key));
  if (some === undefined || unknown !== undefined || given.length !== Object.keys(range).length) {
    refuse(`The range on ${field} takes gt or gte, lt or lte, each with a value.`);
  }
  if ((gt !== undefined && gte !== undefined) || (lt !== undefined && lte !== undefined)) {
    refuse(`The range on ${field} has two bounds on one side; give one.`);
  }
  const at = (part: KeyPart): Uint8Array => encodeTuple([part], prefix);
  const after = (part: KeyPart): Uint8Array => prefixRange(at(part)).end;
  // Only values of the bound's own kind: null is not below every number.
  const kind = kindRange(prefix, some);
  const start = gt !== undefined ? after(gt) : gte !== undefined ? at(gte) : kind.start;
  const end = lt !== undefined ? at(lt) : lte !== undefined ? after(lte) : kind.end;
  return compareKeys(start, end) < 0 ? { start, end } : { start, end: start };
}

/** Reads the records that index entries name; an entry whose record has moved on gives nothing. */
function readIndexed(context: RepositoryContext, group: FieldGroup) {
  return async (entries: ScanPage['entries']): Promise<(object | undefined)[]> => {
    const ids = entries.map((entry) => context.keys.indexedId(group, entry.key));
    const stored = await context.client.getMany(ids.map((id) => context.keys.record(id)));
    return entries.map((entry, i) => {
      const { live } = snapshotOf(context, ids[i] ?? [], stored[i]);
      if (live === undefined || !derivedKeys(context, live).entries.has(keyName(entry.key))) return undefined;
      return entityOf(context.model, live, live.version);
    });
  };
}

export function findEntities(
  context: RepositoryContext,
  where: Conditions,
  options: ListOptions,
): Promise<Page<object>> {
  const { group, ...range } = indexRange(context, where);
  return readPage(context, range, options, readIndexed(context, group));
}

export async function countFound(context: RepositoryContext, where: Conditions, options: ReadOptions): Promise<number> {
  const { group, ...range } = indexRange(context, where);
  let count = 0;
  for await (const _entity of readAll(context, range, options, readIndexed(context, group))) count++;
  return count;
}

/** The entity that holds a unique value. Errors: `argument.invalid` where no unique constraint has just these fields. */
export async function findUnique(
  context: RepositoryContext,
  where: Conditions,
  options: ReadOptions,
): Promise<object | undefined> {
  const { model, keys, client } = context;
  const fields = Object.keys(where);
  const group = model.uniques.find(
    (unique) => unique.fields.length === fields.length && unique.fields.every((f) => fields.includes(f)),
  );
  if (group === undefined) {
    refuse(
      `No unique constraint of ${model.name} is on ${fields.join(', ') || 'nothing'}: put @Unique() there, or use find.`,
    );
  }
  const claim = keys.unique(group, where);
  if (claim === undefined) refuse(`findOne needs a value for ${fields.join(', ')}; unset values are not unique.`);
  const stored = await client.get(claim, options);
  if (stored === undefined) return undefined;
  const owner = claimOwner(stored.value);
  const record = await client.get(keys.record(owner), options);
  const { live } = snapshotOf(context, owner, record);
  if (live === undefined || !derivedKeys(context, live).claims.has(keyName(claim))) return undefined;
  return entityOf(model, live, live.version);
}
