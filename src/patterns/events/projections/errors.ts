import { NorimakiError } from '../../../core/errors.ts';

/** The codes of projections, and what they carry in `details`. */
export interface ProjectionErrorDetails {
  /** A newer program has built the views. */
  'events.projectionNewer': { projection: string; found: number; known: number };
}

// Reaches users because the index of the room exports the interface above: otherwise this file would be in no declaration.
declare module '../../../core/errors.ts' {
  interface ErrorDetails extends ProjectionErrorDetails {}
}

export function projectionNewer(
  projection: string,
  found: number,
  known: number,
): NorimakiError<'events.projectionNewer'> {
  return new NorimakiError(
    'events.projectionNewer',
    `The views of '${projection}' are of version ${found}, and this program knows version ${known}. Run the newer program, or raise the version of the projection.`,
    { projection, found, known },
  );
}
