import { createHash } from 'node:crypto';

/** The texts of an entity that words are looked for in, field by field; empty where it has none. */
export type Texts = Readonly<Record<string, readonly string[]>>;

/** Strings, lists of strings; what is unset or blank is left out, and so is anything else. */
export function textsOf(entity: object, fields: readonly string[]): Texts {
  const texts: Record<string, readonly string[]> = {};
  for (const field of fields) {
    // An entity is read by field name.
    const value = (entity as Record<string, unknown>)[field];
    const list = (Array.isArray(value) ? value : [value]).filter((text) => typeof text === 'string' && text !== '');
    if (list.length > 0) texts[field] = list;
  }
  return texts;
}

/** Of just these texts; `''` of none. */
export function hashOfTexts(texts: Texts): string {
  if (Object.keys(texts).length === 0) return '';
  return createHash('sha256').update(JSON.stringify(texts)).digest('base64url').slice(0, 16);
}
