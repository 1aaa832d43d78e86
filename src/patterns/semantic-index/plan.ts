import type { IdPart } from '../../core/model/model.ts';
import type { Shape } from '../../core/model/types.ts';
import { refuse } from '../shared/options.ts';
import { MAX_SEEN, Seen } from './cursor.ts';
import type { SearchParts } from './search-parts.ts';
import { weightOf } from './settings.ts';
import type { FindOptions } from './types.ts';

/** What is looked for. */
export type Query = { readonly text: string } | { readonly like: readonly IdPart[] };

/** One page of a search, its options checked. */
export interface Plan {
  readonly query: Query;
  readonly lexicalWeight: number;
  readonly limit: number;
  readonly where: object | undefined;
  readonly filter: ((entity: object) => boolean) | undefined;
  /** Both of the above. */
  readonly isWanted: (entity: object) => boolean;
  readonly minScore: number | undefined;
  readonly diversify: number;
  readonly seen: Seen;
  /** So many of each side are looked at. */
  readonly depth: number;
  readonly signal: AbortSignal | undefined;
}

const MAX_LIMIT = 100;
/** Of both sides, so that one that stands low on one of them is found by the other. */
const MIN_DEPTH = 100;

/** Errors: `argument.invalid`, `search.wrongCursor`. */
export function planOf({ inside, settings }: SearchParts, query: Query, options: FindOptions<Shape>): Plan {
  const { limit = 10, where, filter, minScore, diversify = 0, cursor, signal } = options;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    refuse('limit', `limit is a whole number from 1 to ${MAX_LIMIT}; take pages for more.`);
  }
  if (minScore !== undefined && !(minScore >= 0 && minScore <= 1))
    refuse('minScore', 'minScore is a number from 0 to 1.');
  if (!(diversify >= 0 && diversify <= 1)) refuse('diversify', 'diversify is a number from 0 to 1.');
  if (filter !== undefined && typeof filter !== 'function')
    refuse('filter', 'filter is a function: (entity) => boolean.');
  if ('text' in query && (typeof query.text !== 'string' || query.text.trim() === '')) {
    refuse('query', 'The text to search for is blank.');
  }
  const conditions = where && { ...where };
  const fits = conditions && inside.matcher(conditions);
  // By words nothing is like another entity.
  const lexicalWeight = 'like' in query ? 0 : weightOf(options.hybrid, settings.lexical, settings.lexicalWeight);
  const { model, place } = inside;
  const identity = [settings.name, model.name, place, query, conditions, minScore, lexicalWeight, filter !== undefined];
  const seen = new Seen(settings.name, identity, cursor);
  const isBoth = lexicalWeight > 0 && lexicalWeight < 1;
  const wanted = seen.size + (diversify > 0 ? poolOf(limit) : limit);
  return {
    query,
    lexicalWeight,
    limit,
    where: conditions,
    filter,
    isWanted: (entity) => fits?.(entity) !== false && filter?.(entity) !== false,
    minScore,
    diversify,
    seen,
    depth: Math.min(MAX_SEEN, isBoth ? Math.max(MIN_DEPTH, 2 * wanted) : wanted),
    signal,
  };
}

/** So many are chosen from, where they are to be unlike each other. */
export function poolOf(limit: number): number {
  return Math.max(30, 3 * limit);
}
