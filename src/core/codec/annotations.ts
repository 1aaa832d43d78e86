import { refuse } from './failures.ts';
import { isJsonObject, type JsonObject } from './json.ts';
import { MAX_DEPTH, MAX_NODES } from './limits.ts';

/** What superjson says about one place of a field: its type, and what is annotated inside it. */
export interface Annotation {
  type: string | undefined;
  children: Map<string, Annotation> | undefined;
}

/** By the name of the field. */
export type Annotations = ReadonlyMap<string, Annotation>;

const NONE: Annotations = new Map();

/** `regexp`, `Error`, `class`, `custom` and `symbol` make objects that no record of ours holds. */
const REVIVED: ReadonlySet<string> = new Set(['undefined', 'bigint', 'Date', 'number', 'map', 'set', 'URL']);

/** superjson refuses paths through these, as they lead to a prototype. */
export const RESERVED_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** What `meta` said, as records that say the same share theirs. */
const known = new WeakMap<object, Annotations>();

/** Reads the `meta` of a record. Throws a Refusal for anything that superjson would not have written for plain data. */
export function readAnnotations(meta: unknown): Annotations {
  const isFrozen = isJsonObject(meta) && Object.isFrozen(meta);
  const before = isFrozen ? known.get(meta) : undefined;
  if (before !== undefined) return before;
  const values = annotationTree(meta);
  if (values === undefined) return NONE;
  const root: Annotation = { type: undefined, children: new Map() };
  new Reader(hasOldPaths(meta)).read(values, root, 0);
  const annotations = root.children ?? NONE;
  if (isFrozen) known.set(meta, annotations);
  return annotations;
}

function annotationTree(meta: unknown): JsonObject | undefined {
  if (meta === undefined || meta === null) return undefined;
  if (!isJsonObject(meta)) refuse(['meta'], 'is not an object');
  if (meta.v !== undefined && typeof meta.v !== 'number') refuse(['meta', 'v'], 'is not a number');
  const { values } = meta;
  if (values === undefined) return undefined;
  if (!isJsonObject(values)) refuse(['meta', 'values'], 'does not annotate fields');
  return values;
}

/** Before its version 1, superjson escaped dots in paths but not backslashes. */
export function hasOldPaths(meta: unknown): boolean {
  const version = isJsonObject(meta) ? meta.v : undefined;
  return !(typeof version === 'number' && version >= 1);
}

class Reader {
  readonly #oldPaths: boolean;
  #nodes = 0;

  constructor(oldPaths: boolean) {
    this.#oldPaths = oldPaths;
  }

  read(tree: unknown, into: Annotation, depth: number): void {
    if (depth > MAX_DEPTH) refuse(['meta'], 'is nested too deeply');
    if (Array.isArray(tree)) {
      const [type, children] = tree as unknown[]; // Array.isArray gives any[]
      if (tree.length < 1 || tree.length > 2 || into.type !== undefined) refuse(['meta'], 'has a malformed annotation');
      into.type = typeName(type);
      if (tree.length === 2) this.#readChildren(children, into, depth);
    } else {
      this.#readChildren(tree, into, depth);
    }
  }

  #readChildren(tree: unknown, into: Annotation, depth: number): void {
    if (!isJsonObject(tree)) refuse(['meta'], 'has a malformed annotation');
    for (const [path, subtree] of Object.entries(tree)) {
      const place = this.#place(into, parsePath(path, this.#oldPaths));
      this.read(subtree, place, depth + 1);
    }
  }

  #place(from: Annotation, path: readonly string[]): Annotation {
    let current = from;
    for (const key of path) {
      if (RESERVED_KEYS.has(key)) refuse(['meta'], 'annotates a prototype');
      current.children ??= new Map();
      let next = current.children.get(key);
      if (next === undefined) {
        this.#nodes += 1;
        if (this.#nodes > MAX_NODES) refuse(['meta'], 'has too many annotations');
        next = { type: undefined, children: undefined };
        current.children.set(key, next);
      }
      current = next;
    }
    return current;
  }
}

function typeName(type: unknown): string {
  if (typeof type === 'string' && REVIVED.has(type)) return type;
  if (Array.isArray(type) && type.length === 2 && type[0] === 'typed-array' && typeof type[1] === 'string')
    return type[1];
  return refuse(['meta'], 'names a type that records do not hold');
}

/** Splits one of superjson's paths. */
export function parsePath(path: string, oldPaths: boolean): string[] {
  if (!path.includes('\\')) return path.split('.');
  const keys: string[] = [];
  let key = '';
  for (let at = 0; at < path.length; at += 1) {
    const char = path.charAt(at);
    const next = path.charAt(at + 1);
    if (char === '\\' && (next === '.' || (next === '\\' && !oldPaths))) {
      key += next;
      at += 1;
    } else if (char === '\\' && !oldPaths) {
      refuse(['meta'], 'has a malformed path');
    } else if (char === '.') {
      keys.push(key);
      key = '';
    } else {
      key += char;
    }
  }
  keys.push(key);
  return keys;
}

/** A key as it stands in one of superjson's paths. */
export function escapeKey(key: string): string {
  return key.replaceAll('\\', '\\\\').replaceAll('.', '\\.');
}

/** The annotations of some fields as they stand, with paths as superjson writes them today. */
export function annotationsOf(meta: unknown, isWanted: (field: string) => boolean): Record<string, unknown> {
  const oldPaths = hasOldPaths(meta);
  const found = Object.entries(annotationTree(meta) ?? {}).filter(([path]) => isWanted(fieldOf(path, oldPaths)));
  return Object.fromEntries(found.map(([path, tree]) => (oldPaths ? renewPath(path, tree) : [path, tree])));
}

/** The field that a path leads to. */
export function fieldOf(path: string, oldPaths = false): string {
  return parsePath(path, oldPaths)[0] ?? '';
}

function renewPath(path: string, tree: unknown): [string, unknown] {
  return [parsePath(path, true).map(escapeKey).join('.'), renewPaths(tree)];
}

function renewPaths(tree: unknown): unknown {
  if (Array.isArray(tree)) return tree.length === 2 ? [tree[0], renewPaths(tree[1])] : tree;
  if (!isJsonObject(tree)) return tree;
  return Object.fromEntries(Object.entries(tree).map(([path, subtree]) => renewPath(path, subtree)));
}
