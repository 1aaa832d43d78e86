import { embeddingProblems } from './embedding-problems.ts';
import { entityProblems } from './entity-problems.ts';
import { fieldProblems } from './field-problems.ts';
import { groupProblems } from './group-problems.ts';
import type { EntityDeclaration } from './model.ts';

/** Every mistake in a declaration, as sentences that say where, what and what to do. */
export function modelProblems(declaration: EntityDeclaration): string[] {
  return [
    ...(declaration.problems ?? []),
    ...entityProblems(declaration),
    ...fieldProblems(declaration),
    ...groupProblems(declaration),
    ...embeddingProblems(declaration),
  ];
}
