import { NorimakiError } from '../../core/errors.ts';
import type { EmbeddingModel, IdPart } from '../../core/model/model.ts';
import type { RepositoryContext } from '../context.ts';
import { type Naming, namingOf } from '../reindex/lacking.ts';
import { namesOf, refreshRecord, restoreVectors } from '../reindex/mend.ts';
import { type LiveRecord, readSnapshot } from '../snapshot.ts';
import type { CatalogState } from '../vectors/catalog.ts';
import { type VectorEntry, wantedIn } from '../vectors/entry.ts';
import type { VectorSpace } from '../vectors/space.ts';
import type { VectorContext } from '../vectors/vector-context.ts';
import type { Diagnosis, Examination, Look } from './examination.ts';

/** What a record says of its vector where searches look. Of vectors of another text than the code's only that it is there. */
export function namingInUse(
  context: RepositoryContext,
  embedding: EmbeddingModel,
  space: VectorSpace,
  record: LiveRecord,
): Naming {
  if (embedding.source === undefined || space.spec.template === embedding.template) {
    try {
      return namingOf(context, embedding, space, record);
    } catch (error) {
      // The code makes no text of it, or cannot: then there is nothing to compare with.
      if (!NorimakiError.is(error, 'validation.failed')) throw error;
    }
  }
  const entry = wantedIn(record.envelope.vectors, space.id);
  return entry === undefined ? { kind: 'none' } : { kind: 'named', entry, text: undefined };
}

/** Whether the vector of a record is where it should be, by what is in use now. */
export function vectorLook(
  { context, signal }: Examination,
  vectors: VectorContext,
  embedding: EmbeddingModel,
  id: readonly IdPart[],
): Look {
  const { client, keys } = context;
  return async () => {
    const catalog = await freshCatalog(vectors);
    const space = catalog.spaces.get(embedding.name)?.active;
    const { live, version } = await readSnapshot(context, id, keys.record(id), { signal });
    if (live === undefined || version === undefined || space === undefined) return 'healthy';
    const naming = namingInUse(context, embedding, space, live);
    if (naming.kind === 'none') return 'healthy';
    const isStill = async (): Promise<boolean> => {
      const now = await readSnapshot(context, id, keys.record(id), { signal });
      return now.version === version && (await freshCatalog(vectors)).version === catalog.version;
    };
    if (naming.kind !== 'named') {
      if (!(await isStill())) return 'moving';
      const kind = naming.kind === 'stale' ? 'vector.stale' : 'vector.missing';
      return { kind, mend: () => refreshRecord(context, id, signal) } satisfies Diagnosis;
    }
    // Before the vector: whoever inserts it takes the entry out of the outbox with it, or after it.
    const isPending = embedding.mode === 'deferred' && (await client.get(keys.outbox(id), { signal })) !== undefined;
    if (isPending || (await isThere(context, space, id, naming.entry, signal))) return 'healthy';
    if (!(await isStill())) return 'moving';
    const { text, entry } = naming;
    const embedder = vectors.embedders.get(space.spec.embedder);
    // A vector that was given only the user has.
    if (text === undefined || entry.given !== undefined || embedder === undefined) return { kind: 'vector.missing' };
    const mend = () => restoreVectors(context, vectors, { id, space, entry, version }, text, embedder, signal);
    return { kind: 'vector.missing', mend };
  };
}

async function isThere(
  context: RepositoryContext,
  space: VectorSpace,
  id: readonly IdPart[],
  entry: VectorEntry,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const names = namesOf(context, { id, entry });
  return !(await context.client.vectors.getMany(space.namespace, names, { signal })).includes(undefined);
}

function freshCatalog({ catalog }: VectorContext): Promise<CatalogState> {
  catalog.invalidate();
  return catalog.current();
}
