import { createHash } from 'node:crypto';
import { DERIVED_ID_LENGTH } from '../core/codec/index.ts';
import { NorimakiError } from '../core/errors.ts';
import { decodeTuple, encodeTuple, type KeyPart, keyName, prefixRange } from '../core/keys/index.ts';
import type { EntityModel, FieldGroup, IdPart } from '../core/model/model.ts';
import type { Key, KeyRange } from '../core/store.ts';
import type { Place } from './tenancy/place.ts';

type Values = Readonly<Record<string, unknown>>;

// What stands behind (root, tenant, generation, entity) in a key.
const RECORD = 'r';
const UNIQUE = 'u';
const INDEX = 'i';
const CATALOG = 'c';
const OUTBOX = 'o';

/** (root, tenant or null, generation, entity): what every key of an entity begins with. */
export type KeyScope = readonly [root: string, tenant: string | null, generation: bigint, entity: string];

/**
 * The keys of one entity in one tenant: (root, tenant, generation, entity, 'r', id…) for records,
 * (…, 'u', constraint, value…) for unique claims, (…, 'i', index, value…, id…) for index entries,
 * (…, 'c') for the catalog of its vectors, (…, 'o', id…) for records whose vectors are still to be made.
 */
export class Keyspace {
  readonly model: EntityModel;
  readonly scope: KeyScope;
  /** Where the records are, as a string: the same for every repository of the same entity, tenant and generation. */
  readonly place: string;
  readonly #records: Key;
  readonly #outbox: Key;
  readonly #uniques: ReadonlyMap<string, Key>;
  readonly #indexes: ReadonlyMap<string, Key>;
  readonly #ids: ReadonlyMap<FieldGroup, string>;
  /** The ids of all unique constraints and indexes; `undefined` if there are none. See `Envelope.derived`. */
  readonly derived: string | undefined;
  /** Which vectors are in use. */
  readonly catalog: Key;

  constructor(model: EntityModel, root: string, { tenant, generation }: Place) {
    this.model = model;
    // A bigint takes two bytes where a number takes nine.
    this.scope = [root, tenant ?? null, BigInt(generation), model.name];
    const prefix = encodeTuple(this.scope);
    this.catalog = encodeTuple([CATALOG], prefix);
    this.#outbox = encodeTuple([OUTBOX], prefix);
    const prefixes = (kind: string, groups: readonly FieldGroup[]): ReadonlyMap<string, Key> =>
      new Map(groups.map(({ name }) => [name, encodeTuple([kind, name], prefix)]));
    this.#records = encodeTuple([RECORD], prefix);
    this.place = keyName(this.#records);
    this.#uniques = prefixes(UNIQUE, model.uniques);
    this.#indexes = prefixes(INDEX, model.indexes);
    const ids = (kind: string, groups: readonly FieldGroup[]): [FieldGroup, string][] =>
      groups.map((group) => [group, derivedId(kind, group)]);
    this.#ids = new Map([...ids(UNIQUE, model.uniques), ...ids(INDEX, model.indexes)]);
    this.derived = this.#ids.size === 0 ? undefined : [...this.#ids.values()].join('');
  }

  /** The parts of an id as a caller gave it. Errors: `argument.invalid`. */
  idParts(id: unknown): IdPart[] {
    const { ids, name } = this.model;
    if (ids.length === 1) return ids.map((part) => this.#idPart(part.name, id));
    if (typeof id !== 'object' || id === null || Object.keys(id).length !== ids.length) {
      const shape = ids.map((part) => part.name).join(', ');
      throw new NorimakiError('argument.invalid', `The id of ${name} is an object of its parts: { ${shape} }.`, {
        argument: 'id',
      });
    }
    // An object that is not null can be read by name; what is there is checked next.
    return ids.map((part) => this.#idPart(part.name, (id as Values)[part.name]));
  }

  idPartsOf(values: Values): IdPart[] {
    return this.model.ids.map(({ name }) => this.#idPart(name, values[name]));
  }

  #idPart(field: string, value: unknown): IdPart {
    if (value === undefined || value === null || (typeof value === 'object' && !isKeyObject(value))) {
      throw new NorimakiError(
        'argument.invalid',
        `${this.model.name}.${field} is an id: give a string, a number, a bigint, a boolean, a date or bytes.`,
        { argument: field },
      );
    }
    // Anything else that is no key part is refused by the encoding.
    return value as IdPart;
  }

  record(parts: readonly IdPart[]): Key {
    return encodeTuple(parts, this.#records);
  }

  /** The id in a record's key. */
  recordId(key: Key): IdPart[] {
    // The parts behind the prefix of all records are the id.
    return decodeTuple(key, this.#records.length) as IdPart[];
  }

  /** The id as `get` takes it. */
  idOf(parts: readonly IdPart[]): unknown {
    const { ids } = this.model;
    return ids.length === 1 ? parts[0] : Object.fromEntries(ids.map(({ name }, i) => [name, parts[i]]));
  }

  allRecords(): KeyRange {
    return prefixRange(this.#records);
  }

  outbox(parts: readonly IdPart[]): Key {
    return encodeTuple(parts, this.#outbox);
  }

  wholeOutbox(): KeyRange {
    return prefixRange(this.#outbox);
  }

  /** The id in a key of the outbox. */
  outboxId(key: Key): IdPart[] {
    // As in recordId.
    return decodeTuple(key, this.#outbox.length) as IdPart[];
  }

  /** Whether a record is held by the constraint or index, by what its envelope says. */
  holds(group: FieldGroup, derived: string | undefined): boolean {
    if (derived === this.derived) return true;
    const id = this.#ids.get(group);
    for (let at = 0; derived !== undefined && at < derived.length; at += DERIVED_ID_LENGTH) {
      if (id !== undefined && derived.startsWith(id, at)) return true;
    }
    return false;
  }

  /** The claim on these values, or `undefined` when one of them is unset: unset values do not collide. */
  unique(group: FieldGroup, values: Values): Key | undefined {
    const parts = groupParts(group, values);
    if (parts === undefined || parts.includes(null)) return undefined;
    return encodeTuple(parts, this.#uniques.get(group.name));
  }

  /** All claims of a constraint. */
  claimsOf(group: FieldGroup): KeyRange {
    return prefixRange(encodeTuple([], this.#uniques.get(group.name)));
  }

  /** All entries of an index. */
  entriesOf(group: FieldGroup): KeyRange {
    return prefixRange(encodeTuple([], this.#indexes.get(group.name)));
  }

  /** The index entry of these values, or `undefined` when one of them is undefined: such a record is not in the index. */
  indexEntry(group: FieldGroup, values: Values): Key | undefined {
    const parts = groupParts(group, values);
    return parts && encodeTuple([...parts, ...this.idPartsOf(values)], this.#indexes.get(group.name));
  }

  /** The prefix of all entries of an index whose leading fields have these values. */
  indexPrefix(group: FieldGroup, leading: readonly KeyPart[]): Key {
    return encodeTuple(leading, this.#indexes.get(group.name));
  }

  /** The id in an index entry. */
  indexedId(group: FieldGroup, entry: Key): IdPart[] {
    const parts = decodeTuple(entry, this.#indexes.get(group.name)?.length);
    // The parts behind the indexed values are the id, written by indexEntry.
    return parts.slice(group.fields.length) as IdPart[];
  }
}

/** Another id as soon as the fields of a constraint change, because its keys do. */
function derivedId(kind: string, { name, fields }: FieldGroup): string {
  const digest = createHash('sha256')
    .update(JSON.stringify([kind, name, fields]))
    .digest('base64url');
  return digest.slice(0, DERIVED_ID_LENGTH);
}

function isKeyObject(value: object): boolean {
  return value instanceof Date || value instanceof Uint8Array;
}

function groupParts(group: FieldGroup, values: Values): KeyPart[] | undefined {
  const parts: KeyPart[] = [];
  for (const field of group.fields) {
    const value = values[field];
    if (value === undefined) return undefined;
    // The model allows key parts only in an indexed field; the encoding refuses the rest.
    parts.push(value as KeyPart);
  }
  return parts;
}
