import { NorimakiError } from '../../core/errors.ts';
import type { RepositoryContext } from '../context.ts';
import { fillSpace } from './reindex.ts';
import { conflict, dropUnused, giveUpBuilding, giveUpPrevious, readEntry, step, switchBack } from './stages.ts';
import { type Movable, movable } from './target.ts';
import type { ReindexStepOptions } from './types.ts';

/** Drops the vectors that the last reindex kept. `false`: there were none. Errors: `reindex.conflict` while one is under way. */
export async function finishReindex(
  context: RepositoryContext,
  { field, signal }: ReindexStepOptions,
): Promise<boolean> {
  const target = movable(context, field);
  const { building } = await readEntry(target, signal);
  if (building !== undefined) {
    throw conflict(target, 'a reindex is under way. Go on with it by reindex(), or give it up with rollbackReindex().');
  }
  await step(target, giveUpPrevious, signal);
  return dropUnused(target, signal);
}

/**
 * Takes a reindex back: gives up one that is under way, or searches the former vectors again. `false`: nothing to take
 * back. Errors: `embedding.mismatch` where this program could not bring the former vectors up to date.
 */
export async function rollbackReindex(context: RepositoryContext, options: ReindexStepOptions): Promise<boolean> {
  const { field, signal } = options;
  const target = movable(context, field);
  const { building, previous } = await readEntry(target, signal);
  if (building !== undefined) {
    await step(target, giveUpBuilding, signal);
    return dropUnused(target, signal);
  }
  if (previous === undefined) {
    await dropUnused(target, signal);
    return false;
  }
  checkCanEmbed(target, previous);
  // Writers without the former embedder have left gaps, which must not show.
  await fillSpace(target, previous, options, 'fill');
  await step(target, switchBack(previous), signal);
  await dropUnused(target, signal);
  await fillSpace(target, previous, options, 'settle');
  return true;
}

function checkCanEmbed(
  { context, vectors, embedding }: Movable,
  { embedder, template }: { readonly embedder: string; readonly template: string },
): void {
  const isThere = vectors.embedders.get(embedder) !== undefined;
  if (isThere && template === embedding.template) return;
  const { name: entity } = context.model;
  const cure = isThere
    ? `They were made of the text "${template}", and this program makes "${embedding.template}": run the program of before.`
    : `They were made by the embedder ${embedder}: pass it in open(store, { embedders }).`;
  throw new NorimakiError(
    'embedding.mismatch',
    `The former vectors of ${entity}.${embedding.name} cannot be brought up to date by this program. ${cure}`,
    { entity, embedding: embedding.name },
  );
}
