import type { $ZodType } from 'zod/v4/core';
import { childrenOf, kindOf } from '../codec/schema-tree.ts';

/** A kind of value that an entity's field can hold: `'string'`, `'date'`, `'undefined'`, `'object'`, … */
export type ValueKind = string;

const KEY_KINDS: ReadonlySet<ValueKind> = new Set([
  'string',
  'number',
  'bigint',
  'boolean',
  'date',
  'bytes',
  // Nobody knows before it is there what z.custom lets through; the key refuses what it cannot hold.
  'custom',
]);
// Nobody knows before it is there what z.custom lets through; embedding refuses what is no text.
const TEXT_KINDS: ReadonlySet<ValueKind> = new Set(['string', 'custom']);
const ABSENT: ReadonlySet<ValueKind> = new Set(['undefined', 'null']);

/** What to do about a value that cannot be in a key. */
export const KEYABLE = 'A key is made of strings, numbers, bigints, booleans, dates and bytes.';

/** What a field with this schema holds in the entity, not in the record: of a codec, the side of the entity. */
export function valueKinds(schema: $ZodType): ReadonlySet<ValueKind> {
  const kinds = new Set<ValueKind>();
  collect(schema, { kinds, elements: [] }, new Set());
  return kinds;
}

/** The kinds that are neither text nor a list of texts. Nothing is no text, and can be left out. */
export function untextual(schema: $ZodType): ValueKind[] {
  const found: Found = { kinds: new Set(), elements: [] };
  collect(schema, found, new Set());
  const isBad = (kind: ValueKind) => !TEXT_KINDS.has(kind);
  const hasBadElement = found.elements.some((element) => [...valueKinds(element)].some(isBad));
  return presentKinds(found.kinds).filter((kind) => (kind === 'array' ? hasBadElement : isBad(kind)));
}

/** The kinds that cannot be a part of a key. `undefined` and null can in an index, not in an id. */
export function unkeyable(kinds: ReadonlySet<ValueKind>): ValueKind[] {
  return [...kinds].filter((kind) => !KEY_KINDS.has(kind) && !ABSENT.has(kind));
}

/** Whether a value can be nothing. */
export function canBeAbsent(kinds: ReadonlySet<ValueKind>): boolean {
  return kinds.has('undefined') || kinds.has('null');
}

/** The kinds beside nothing. */
export function presentKinds(kinds: ReadonlySet<ValueKind>): ValueKind[] {
  return [...kinds].filter((kind) => !ABSENT.has(kind));
}

const PLURALS: Readonly<Record<ValueKind, string>> = {
  any: 'anything',
  bytes: 'bytes',
  map: 'maps',
  nan: 'NaN',
  never: 'nothing',
  object: 'objects',
  record: 'objects',
  tuple: 'arrays',
  unknown: 'anything',
  void: 'nothing',
};

/** Kinds as they read in a sentence: `objects and arrays`. */
export function listed(kinds: readonly ValueKind[]): string {
  const names = [...new Set(kinds.map((kind) => PLURALS[kind] ?? `${kind}s`))];
  return names.length === 0 ? 'nothing' : new Intl.ListFormat('en').format(names);
}

interface Found {
  readonly kinds: Set<ValueKind>;
  /** What the arrays among them are made of. */
  readonly elements: $ZodType[];
}

function collect(schema: $ZodType, found: Found, seen: Set<$ZodType>): void {
  if (seen.has(schema)) return;
  seen.add(schema);
  const { kinds, elements } = found;
  const { def } = kindOf(schema)._zod;
  switch (def.type) {
    case 'literal':
    case 'enum':
      // Not the entries of an enum: TypeScript lists a numeric one both ways.
      for (const value of schema._zod.values ?? []) kinds.add(value === null ? 'null' : typeof value);
      return;
    case 'template_literal':
      kinds.add('string');
      return;
    case 'custom':
      kinds.add(customKind(schema));
      return;
    case 'pipe':
      // zod types the side of a pipe as the wider SomeType.
      collect(def.out as $ZodType, found, seen);
      return;
    case 'optional':
      kinds.add('undefined');
      break;
    case 'nullable':
      kinds.add('null');
      break;
    case 'nonoptional': {
      const inner = new Set<ValueKind>();
      collect(def.innerType, { kinds: inner, elements }, seen);
      inner.delete('undefined');
      for (const kind of inner) kinds.add(kind);
      return;
    }
    case 'default':
    case 'prefault':
    case 'readonly':
    case 'catch':
    case 'union':
    case 'intersection':
    case 'lazy':
      break;
    default:
      if (def.type === 'array') elements.push(def.element);
      kinds.add(def.type);
      return;
  }
  for (const child of childrenOf(schema)) collect(child.schema, found, seen);
}

/** `z.instanceof` says which class. */
function customKind(schema: $ZodType): ValueKind {
  const { Class } = schema._zod.bag;
  if (typeof Class !== 'function') return 'custom';
  if (Class === Uint8Array || Class.prototype instanceof Uint8Array) return 'bytes';
  return Class === Date ? 'date' : Class.name;
}
