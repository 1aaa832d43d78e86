import { hasOldPaths, parsePath } from './annotations.ts';
import { refuse } from './failures.ts';
import { isJsonObject } from './json.ts';

/**
 * superjson notes which places held one and the same object. By default each place still holds a full copy, so the
 * notes can be ignored. Only a program that removes the copies, or stores a cycle, leaves null there; to read that
 * as null would be wrong.
 */
export function refuseMissingCopies(json: unknown, meta: unknown): void {
  const shared = isJsonObject(meta) ? meta.referentialEqualities : undefined;
  if (shared === undefined || shared === null) return;
  if (!isJsonObject(shared)) refuse(['meta'], 'refers to the record itself');
  const oldPaths = hasOldPaths(meta);
  for (const places of Object.values(shared)) {
    if (!Array.isArray(places)) refuse(['meta'], 'has malformed references');
    for (const place of places as unknown[]) {
      if (typeof place !== 'string') refuse(['meta'], 'has malformed references');
      if (!hasValue(json, parsePath(place, oldPaths))) refuse(['meta'], 'refers to values in place of copies of them');
    }
  }
}

function hasValue(json: unknown, path: readonly string[]): boolean {
  let current = json;
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return false;
    current = (current as Record<string, unknown>)[key]; // an object, as just checked
  }
  return current !== null;
}
