import { NorimakiError } from '../../core/errors.ts';

/** The codes of a recommender, and what they carry in `details`. */
export interface RecommenderErrorDetails {
  'recommend.unknownItem': { recommender: string; entity: string };
  'recommend.unknownSignal': { recommender: string; known: readonly string[] };
}

// Reaches users because the index of the room exports the interface above: otherwise this file would be in no declaration.
declare module '../../core/errors.ts' {
  interface ErrorDetails extends RecommenderErrorDetails {}
}

export function unknownItem(recommender: string, entity: string): NorimakiError<'recommend.unknownItem'> {
  return new NorimakiError(
    'recommend.unknownItem',
    `There is no such ${entity} for the recommender '${recommender}': it was deleted, has expired, or never was.`,
    { recommender, entity },
  );
}

export function unknownSignal(recommender: string, known: readonly string[]): NorimakiError<'recommend.unknownSignal'> {
  return new NorimakiError(
    'recommend.unknownSignal',
    `The recommender '${recommender}' has no such signal; it has ${known.join(', ')}. Give it a weight in signals.`,
    { recommender, known },
  );
}
