import type { IdPart } from '../../core/model/model.ts';
import type { CommitOperation } from '../../core/store.ts';
import type { VectorName, VectorWrite } from '../../core/vectors/index.ts';
import { checkVector } from '../../core/vectors/index.ts';
import type { RepositoryContext } from '../context.ts';
import { describeRecord, type Snapshot } from '../snapshot.ts';
import type { RecordState } from '../write/operation.ts';
import { type CatalogState, spacesInUse } from './catalog.ts';
import { decideVectors, type NewPassage, type NewVector, withEntries } from './decide.ts';
import { formatEntries, parseEntries, type VectorEntry } from './entry.ts';
import { outboxOperations } from './outbox-entry.ts';
import type { VectorSpace } from './space.ts';
import type { VectorContext } from './vector-context.ts';
import { vectorIds } from './vector-id.ts';

export type VectorInsert = VectorWrite & { readonly type: 'insert' };
export type VectorDelete = VectorWrite & { readonly type: 'delete' };

/** What a write sends for the vectors of its record. */
export interface VectorChange {
  /** The record, with what it will say of its vectors. */
  readonly after: RecordState;
  readonly inserts: readonly VectorInsert[];
  readonly deletes: readonly VectorDelete[];
  /** All that the record will name, if it is to expire: they end with it. */
  readonly expiring: readonly VectorName[];
  /** What goes into the same commit: the entry of the outbox, and the check that the catalog is the one that was read. */
  readonly operations: readonly CommitOperation[];
  /** Some vectors are still to be made. */
  readonly isDeferred: boolean;
}

const NOTHING: Omit<VectorChange, 'after'> = {
  inserts: [],
  deletes: [],
  expiring: [],
  operations: [],
  isDeferred: false,
};

/** What a write of an entity without embeddings sends for its vectors. */
class WithoutVectors implements VectorChange {
  readonly after: RecordState;
  readonly inserts = NOTHING.inserts;
  readonly deletes = NOTHING.deletes;
  readonly expiring = NOTHING.expiring;
  readonly operations = NOTHING.operations;
  readonly isDeferred = false;

  constructor(after: RecordState) {
    this.after = after;
  }
}

export function withoutVectors(after: RecordState): VectorChange {
  return new WithoutVectors(after);
}

/**
 * Finds out what a write means for the vectors of its record, and embeds what is new: before the write and outside of
 * its compare-and-swap. After a conflict the same text costs nothing, because the embedder's answers are remembered.
 * Errors: those of the embedder, `embedding.mismatch`, `argument.invalid` for a given vector of another length.
 */
export async function prepareVectors(
  context: RepositoryContext,
  id: readonly IdPart[],
  base: Snapshot,
  after: RecordState,
  signal: AbortSignal | undefined,
): Promise<VectorChange> {
  const { vectors } = context;
  if (vectors === undefined) return withoutVectors(after);
  const catalog = await vectors.catalog.current();
  const { entries, added, removed } = decideVectors(context, vectors, id, base, after, catalog);
  const expiring = (named: RecordState): VectorName[] => expiringNames(context, id, named, catalog);
  if (added.length === 0 && removed.length === 0) {
    // Also of a record that was deleted and made anew in one write, and so names none of its own.
    const kept = after && withEntries(after, base.envelope?.vectors);
    return { ...NOTHING, after: kept, expiring: expiring(kept) };
  }
  const made = await Promise.all(added.map((vector) => makeVector(context, vectors, id, vector, catalog, signal)));
  const skipped = new Set(made.flatMap((one) => (one.kind === 'skipped' ? [one.entry] : [])));
  const isDeferred = made.some(({ kind }) => kind === 'deferred');
  const operations = [
    ...outboxOperations(context, id, after, isDeferred),
    { type: 'check', key: vectors.catalog.key, ifMatch: catalog.version } as const,
  ];
  const named = after && withEntries(after, formatEntries(entries.filter((entry) => !skipped.has(entry))));
  return {
    after: named,
    inserts: made.flatMap((one) => (one.kind === 'skipped' ? [] : one.inserts)),
    deletes: vectorNamesOf(context, id, removed, catalog).map((name) => ({ type: 'delete', ...name })),
    expiring: expiring(named),
    operations,
    isDeferred,
  };
}

type Made =
  /** `deferred`: some are still to be made. */
  | { readonly kind: 'made' | 'deferred'; readonly inserts: readonly VectorInsert[] }
  /** Only for a space that is not searched: the next pass of `reindex` brings it. */
  | { readonly kind: 'skipped'; readonly entry: VectorEntry };

async function makeVector(
  context: RepositoryContext,
  { embedders }: VectorContext,
  id: readonly IdPart[],
  { embedding, space, entry, content }: NewVector,
  catalog: CatalogState,
  signal: AbortSignal | undefined,
): Promise<Made> {
  const { namespace, spec } = space;
  const names = vectorIds(() => describeRecord(context.model, id), id, entry);
  const inserts = (vectors: readonly (Float32Array | undefined)[]): VectorInsert[] =>
    vectors.flatMap((vector, i) => {
      const name = names[i];
      if (vector === undefined || name === undefined) return [];
      checkVector(vector, spec.dimensions);
      return [{ type: 'insert', namespace, id: name, vector }];
    });
  if ('vector' in content) return { kind: 'made', inserts: inserts([content.vector]) };
  const wanted = 'text' in content ? [{ text: content.text, known: undefined }] : content.passages;
  const known = await knownVectors(context, id, space, wanted, signal);
  if (embedding.mode === 'deferred') {
    const isWhole = known.every((vector) => vector !== undefined);
    return { kind: isWhole ? 'made' : 'deferred', inserts: inserts(known) };
  }
  const isActive = catalog.spaces.get(embedding.name)?.active === space;
  // decideVectors asks for no vector of an embedder that is not there.
  const client = embedders.get(spec.embedder);
  try {
    if (client !== undefined) {
      const embed = ({ text }: NewPassage, i: number) => known[i] ?? client.embed(text, { signal });
      return { kind: 'made', inserts: inserts(await Promise.all(wanted.map(embed))) };
    }
  } catch (error) {
    if (isActive || signal?.aborted) throw error;
  }
  return { kind: 'skipped', entry };
}

/** Of each passage the vector that the text before had, if the store has it. */
async function knownVectors(
  { client, model }: RepositoryContext,
  id: readonly IdPart[],
  { namespace }: VectorSpace,
  passages: readonly NewPassage[],
  signal: AbortSignal | undefined,
): Promise<(Float32Array | undefined)[]> {
  const before = passages.find(({ known }) => known !== undefined)?.known?.entry;
  if (before === undefined) return passages.map(() => undefined);
  const names = vectorIds(() => describeRecord(model, id), id, before);
  const asked = passages.flatMap(({ known }) => (known === undefined ? [] : [names[known.index] ?? '']));
  const found = await client.vectors.getMany(namespace, asked, { signal });
  let at = 0;
  return passages.map(({ known }) => (known === undefined ? undefined : found[at++]));
}

function expiringNames(
  context: RepositoryContext,
  id: readonly IdPart[],
  after: RecordState,
  catalog: CatalogState,
): VectorName[] {
  if (after?.envelope.expiresAt === undefined) return [];
  return vectorNamesOf(context, id, parseEntries(after.envelope.vectors), catalog);
}

/** The vectors that entries of a record name. */
export function vectorNamesOf(
  context: RepositoryContext,
  id: readonly IdPart[],
  entries: readonly VectorEntry[],
  catalog: CatalogState,
): VectorName[] {
  const namespaces = new Map(Array.from(spacesInUse(catalog), ([, space]) => [space.id, space.namespace]));
  return entries.flatMap((entry) => {
    const namespace = namespaces.get(entry.space);
    // A space that is no longer in use is dropped as a whole.
    if (namespace === undefined) return [];
    return vectorIds(() => context.model.name, id, entry).map((name) => ({ namespace, id: name }));
  });
}
