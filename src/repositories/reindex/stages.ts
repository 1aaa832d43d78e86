import { NorimakiError } from '../../core/errors.ts';
import type { BuildingSpec, CatalogDocument, CatalogEntry, CatalogState } from '../vectors/catalog.ts';
import { type SpaceSpec, sameSpec, spaceOf, type VectorSpace } from '../vectors/space.ts';
import type { Movable } from './target.ts';

// The stages of a reindex are states of the entry of its embedding in the catalog; each step is one compare-and-swap.

/** Returns the very entry once there is nothing to change: it runs until then. */
export type Change = (entry: CatalogEntry) => CatalogEntry;

/** Takes one step. Writers see it at their next write, as each checks the version of the catalog. */
export async function step(
  { vectors, embedding }: Movable,
  change: Change,
  signal: AbortSignal | undefined,
): Promise<CatalogState> {
  const { name } = embedding;
  const state = await vectors.catalog.current();
  return vectors.catalog.update((document: CatalogDocument) => {
    // What `current` has made sure of, where a store has lost the document since.
    const entry = document.embeddings[name] ?? state.document.embeddings[name];
    if (entry === undefined) return document;
    const next = change(entry);
    return next === entry ? document : { ...document, embeddings: { ...document.embeddings, [name]: next } };
  }, signal);
}

/** The entry of the embedding as it is now, whatever this process has kept. */
export async function readEntry(movable: Movable, signal: AbortSignal | undefined): Promise<CatalogEntry> {
  movable.vectors.catalog.invalidate();
  const { document } = await step(movable, (entry) => entry, signal);
  // `current` puts every embedding of the model into the catalog.
  return document.embeddings[movable.embedding.name] as CatalogEntry;
}

export function spaceFor({ context, embedding }: Movable, spec: SpaceSpec): VectorSpace {
  return spaceOf(context.keys.scope, embedding.name, spec);
}

export function conflict({ context, embedding }: Movable, message: string): NorimakiError<'reindex.conflict'> {
  const { name: entity } = context.model;
  return new NorimakiError('reindex.conflict', `${entity}.${embedding.name}: ${message}`, {
    entity,
    embedding: embedding.name,
  });
}

/** From here on every save writes to both spaces. Errors: `reindex.conflict`. */
export function begin(movable: Movable, target: SpaceSpec): Change {
  return (entry) => {
    const { active, building, previous } = entry;
    if (building !== undefined) {
      if (sameSpec(building.spec, target)) return entry;
      const message = `a reindex to ${named(building.spec)} is under way. Go on with it, or give it up with rollbackReindex().`;
      throw conflict(movable, message);
    }
    if (sameSpec(active, target)) return entry;
    if (previous !== undefined) {
      const message = `the last reindex still keeps the vectors of ${named(previous)}. First say finishReindex(), or rollbackReindex().`;
      throw conflict(movable, message);
    }
    const dropping = entry.dropping?.filter((spec) => !sameSpec(spec, target));
    return { ...entry, dropping, building: { spec: target, done: 0 } };
  };
}

function named({ embedder, metric, index, template, chunk }: SpaceSpec): string {
  const passages = chunk === undefined ? '' : `, passages of ${chunk.size} with ${chunk.overlap} shared`;
  return `${embedder} (${metric}, ${index}, text "${template}"${passages})`;
}

/** Remembers how far the first pass has come. Errors: `reindex.conflict` if somebody has given it up. */
export function saveCursor(movable: Movable, target: SpaceSpec, at: Omit<BuildingSpec, 'spec'>): Change {
  return (entry) => {
    // Another process has switched.
    if (sameSpec(entry.active, target)) return entry;
    checkBuilding(movable, entry, target);
    if (entry.building?.cursor === at.cursor) return entry;
    return { ...entry, building: { spec: target, ...at } };
  };
}

/** From here on the new space is searched, and the old one is still written to. Errors: `reindex.conflict`. */
export function switchOver(movable: Movable, target: SpaceSpec): Change {
  return (entry) => {
    // Another process was first.
    if (sameSpec(entry.active, target)) return entry;
    checkBuilding(movable, entry, target);
    return { ...entry, active: target, building: undefined, previous: entry.active };
  };
}

function checkBuilding(movable: Movable, { building }: CatalogEntry, target: SpaceSpec): void {
  if (building === undefined || !sameSpec(building.spec, target)) throw givenUp(movable);
}

export function givenUp(movable: Movable): NorimakiError<'reindex.conflict'> {
  return conflict(movable, 'somebody has given this reindex up. Call reindex() again to begin anew.');
}

/** Nothing is written to a space any more, and it may be dropped. */
export function giveUpBuilding(entry: CatalogEntry): CatalogEntry {
  const { building, dropping = [] } = entry;
  return building === undefined ? entry : { ...entry, building: undefined, dropping: [...dropping, building.spec] };
}

export function giveUpPrevious(entry: CatalogEntry): CatalogEntry {
  const { previous, dropping = [] } = entry;
  return previous === undefined ? entry : { ...entry, previous: undefined, dropping: [...dropping, previous] };
}

/** Searches `previous` again. */
export function switchBack(previous: SpaceSpec): Change {
  return (entry) => {
    if (entry.previous === undefined || !sameSpec(entry.previous, previous)) return entry;
    const { active, dropping = [] } = entry;
    return { ...entry, active: previous, previous: undefined, dropping: [...dropping, active] };
  };
}

/** Drops what the catalog no longer names: first nobody writes to it, then it goes. Repeated, it ends what was begun. */
export async function dropUnused(movable: Movable, signal: AbortSignal | undefined): Promise<boolean> {
  const { context, vectors } = movable;
  const { dropping = [] } = await readEntry(movable, signal);
  if (dropping.length === 0) return false;
  for (const spec of dropping) await context.client.vectors.dropIndex(spaceFor(movable, spec).namespace, { signal });
  await step(movable, forget(dropping), signal);
  // One of the same name may be made again.
  vectors.catalog.forgetIndexes();
  return true;
}

function forget(dropped: readonly SpaceSpec[]): Change {
  return (entry) => {
    const left = entry.dropping?.filter((spec) => !dropped.some((gone) => sameSpec(gone, spec))) ?? [];
    return left.length === (entry.dropping?.length ?? 0) ? entry : { ...entry, dropping: left };
  };
}
