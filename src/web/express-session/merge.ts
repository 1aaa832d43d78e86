import { isDeepStrictEqual } from 'node:util';

/** What `JSON.parse` makes of a session. */
export type Json = Readonly<Record<string, unknown>>;

/**
 * What `mine` has changed since `base`, done to `theirs`: field by field, and in objects within, so that requests which changed
 * different fields both count. An array is one value.
 */
export function merged(base: Json, mine: Json, theirs: Json): Json {
  const result = new Map(Object.entries(theirs));
  for (const key of new Set([...Object.keys(base), ...Object.keys(mine)])) {
    const [after, stored] = [own(mine, key), own(theirs, key)];
    if (isDeepStrictEqual(own(base, key), after)) continue;
    // An object that both have made where there was none is one that both have added to.
    const before = own(base, key) ?? {};
    if (after === undefined) result.delete(key);
    else result.set(key, isJson(before) && isJson(after) && isJson(stored) ? merged(before, after, stored) : after);
  }
  return Object.fromEntries(result);
}

/** JSON may hold a key such as `__proto__`. */
function own(object: Json, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** An object, and not an array. */
function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
