import type { IdPart } from '../../core/model/model.ts';
import type { RepositoryContext } from '../context.ts';
import type { Snapshot } from '../snapshot.ts';
import type { PlannedVector } from '../verbs/plan.ts';
import type { RecordState } from '../write/operation.ts';
import { spacesInUse } from './catalog.ts';
import { decideVectors, withEntries } from './decide.ts';
import { formatEntries } from './entry.ts';
import type { VectorChange } from './prepare.ts';

/** What `prepareVectors` would find out, with nothing embedded. */
export async function planVectors(
  context: RepositoryContext,
  id: readonly IdPart[],
  base: Snapshot,
  after: RecordState,
): Promise<{ change: VectorChange; vectors: PlannedVector[] }> {
  const nothing = { inserts: [], deletes: [], expiring: [], operations: [], isDeferred: false };
  if (context.vectors === undefined) return { change: { ...nothing, after }, vectors: [] };
  const catalog = await context.vectors.catalog.current();
  const { entries, added, removed } = decideVectors(context, context.vectors, id, base, after, catalog);
  const embeddingOf = new Map(Array.from(spacesInUse(catalog), ([name, space]) => [space.id, name]));
  const inserts = added.flatMap(({ embedding: { name, mode }, content }): PlannedVector[] => {
    const embeds = mode === 'deferred' ? 'later' : 'now';
    const one = { embedding: name, type: 'insert' } as const;
    if ('passages' in content) {
      return content.passages.map(({ known }) => ({ ...one, embeds: known === undefined ? embeds : 'no' }));
    }
    return [{ ...one, embeds: 'vector' in content ? 'no' : embeds }];
  });
  const deletes = removed.flatMap(({ space, passages }): PlannedVector[] => {
    const embedding = embeddingOf.get(space);
    if (embedding === undefined) return [];
    return Array.from({ length: passages?.count ?? 1 }, () => ({ embedding, type: 'delete', embeds: 'no' }));
  });
  return {
    change: { ...nothing, after: after && withEntries(after, formatEntries(entries)) },
    vectors: [...inserts, ...deletes],
  };
}
