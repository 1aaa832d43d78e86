import { NorimakiError } from '../../core/errors.ts';
import type { EmbeddingModel, IdPart } from '../../core/model/model.ts';
import type { RepositoryContext } from '../context.ts';
import { hydrate } from '../entity.ts';
import { describeRecord, type LiveRecord, type Snapshot } from '../snapshot.ts';
import type { RecordState } from '../write/operation.ts';
import type { CatalogState, SpacesInUse } from './catalog.ts';
import { cut } from './cut.ts';
import { formatEntries, parseEntries, type VectorEntry } from './entry.ts';
import { checkPassages, namedPassages, passagesBehind } from './passages.ts';
import { hashOfText, hashOfVector, type VectorSpace } from './space.ts';
import type { VectorContext } from './vector-context.ts';
import { newGeneration } from './vector-id.ts';

/** A vector that a write brings, by its text or as it was given. */
export interface NewVector {
  readonly embedding: EmbeddingModel;
  readonly space: VectorSpace;
  readonly entry: VectorEntry;
  readonly content:
    | { readonly text: string }
    | { readonly vector: Float32Array }
    | { readonly passages: readonly NewPassage[] };
}

export interface NewPassage {
  readonly text: string;
  /** The vector of the same passage of the text before. */
  readonly known: { readonly entry: VectorEntry; readonly index: number } | undefined;
}

/** What a write means for the vectors of its record. */
export interface VectorDecision {
  /** The entries of the record after the write. */
  readonly entries: readonly VectorEntry[];
  readonly added: readonly NewVector[];
  /** Entries that the record had and has no more. */
  readonly removed: readonly VectorEntry[];
}

/**
 * Compares what the record says of its vectors with what it should say. Only a text that changed, by its hash, gets a
 * new generation: nothing is embedded for anything else. Errors: `embedding.mismatch`, `validation.failed`.
 */
export function decideVectors(
  context: RepositoryContext,
  vectors: VectorContext,
  id: readonly IdPart[],
  base: Snapshot,
  after: LiveRecord | undefined,
  catalog: CatalogState,
): VectorDecision {
  const before = parseEntries(base.envelope?.vectors);
  if (after === undefined) return { entries: [], added: [], removed: before };
  // Of a record that has expired since nobody knows whether its vectors are still there.
  const current =
    base.live === undefined ? [] : before.filter(({ state }) => state === 'wanted').filter(isKept(base, after));
  const entity = lazily(() => hydrate(context.model, after.decode().values, undefined));
  const entries: VectorEntry[] = [];
  const added: NewVector[] = [];
  for (const embedding of context.model.embeddings) {
    const spaces = catalog.spaces.get(embedding.name);
    // A program that is newer than the catalog it has read reads it anew before it comes here.
    if (spaces === undefined) continue;
    const given = after.given?.get(embedding.name);
    const text = embedding.source?.(entity());
    const isGiven = given !== undefined && given.text === text;
    for (const space of [spaces.active, spaces.building, spaces.previous]) {
      if (space === undefined) continue;
      const entry = current.find((known) => known.space === space.id);
      if (isGiven && space === spaces.active) {
        const next = entryOf(context, space, text, given.vector);
        if (isSame(entry, next)) entries.push(entry);
        else added.push({ embedding, space, entry: next, content: { vector: given.vector } });
        continue;
      }
      if (embedding.source === undefined) {
        // Only the user can say what it should be, and has said nothing.
        if (entry !== undefined) entries.push(entry);
        continue;
      }
      if (text === undefined) {
        // A vector that was given while there was no text stands for just that.
        if (entry !== undefined && entry.given !== undefined && entry.source === hashOfText('')) entries.push(entry);
        continue;
      }
      if (entry !== undefined && entry.source === hashOfText(text) && isOfCode(embedding, space)) {
        entries.push(entry);
        continue;
      }
      if (!canEmbed(vectors, embedding, space)) {
        const isUntouched = entry !== undefined && after.body === base.live?.body;
        if (isUntouched) entries.push(entry);
        else if (space === spaces.active && !hasSuccessor(vectors, embedding, spaces)) {
          throw mismatch(context, id, embedding, space);
        }
        continue;
      }
      try {
        added.push(newVector(context, embedding, space, text, base, entry));
      } catch (error) {
        // Where nobody searches it is left to the reindex, which tells what it cannot move.
        if (space === spaces.active || !NorimakiError.is(error, 'embedding.tooLong')) throw error;
      }
    }
  }
  const kept = new Set(entries.map(({ generation }) => generation));
  return {
    entries: [...entries, ...added.map(({ entry }) => entry)],
    added,
    removed: before.filter(({ generation }) => !kept.has(generation)),
  };
}

/** What a write marks as reserved of its own it wants anew, though its text is the same: see `refreshRecord`. */
function isKept({ envelope }: Snapshot, after: LiveRecord): (entry: VectorEntry) => boolean {
  if (after.envelope.vectors === envelope?.vectors) return () => true;
  const given = parseEntries(after.envelope.vectors);
  return ({ generation }) => !given.some((entry) => entry.generation === generation && entry.state === 'reserved');
}

/** Errors: `embedding.tooLong`. */
function newVector(
  context: RepositoryContext,
  embedding: EmbeddingModel,
  space: VectorSpace,
  text: string,
  base: Snapshot,
  before: VectorEntry | undefined,
): NewVector {
  const entry = entryOf(context, space, text, undefined);
  const { chunk } = space.spec;
  if (chunk === undefined) return { embedding, space, entry, content: { text } };
  const passages = cut(text, chunk);
  checkPassages(context.model, embedding, passages.length);
  const known = knownPassages(context, embedding, space, base, before);
  return {
    embedding,
    space,
    entry: { ...entry, passages: namedPassages(passages) },
    content: {
      passages: passages.map((passage): NewPassage => {
        const index = known.get(passage.text);
        const isKnown = index !== undefined && before !== undefined;
        return { text: passage.text, known: isKnown ? { entry: before, index } : undefined };
      }),
    },
  };
}

/** The passages whose vectors the store has, by their texts: those of the text before. */
function knownPassages(
  { model }: RepositoryContext,
  { source }: EmbeddingModel,
  { spec }: VectorSpace,
  { live }: Snapshot,
  entry: VectorEntry | undefined,
): ReadonlyMap<string, number> {
  const none = new Map<string, number>();
  if (entry?.passages === undefined || live === undefined || spec.chunk === undefined) return none;
  try {
    const text = source?.(hydrate(model, live.decode().values, undefined));
    if (text === undefined || hashOfText(text) !== entry.source) return none;
    return new Map(passagesBehind(spec.chunk, entry, text)?.map((passage) => [passage.text, passage.index]));
  } catch {
    // Of a record that cannot be read, or that this program makes no text of, nothing is taken over.
    return none;
  }
}

/** The same record, but that it wants the vectors of a generation anew. */
export function renewed(record: RecordState, generation: string | undefined): RecordState {
  if (record === undefined || generation === undefined) return record;
  const entries = parseEntries(record.envelope.vectors).map((entry): VectorEntry => {
    return entry.generation === generation ? { ...entry, state: 'reserved' } : entry;
  });
  return withEntries(record, formatEntries(entries));
}

/** The record with these entries; the very object if it has them. */
export function withEntries(record: LiveRecord, list: string | undefined): LiveRecord {
  return record.envelope.vectors === list ? record : record.with({ ...record.envelope, vectors: list });
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function entryOf(
  { environment }: RepositoryContext,
  space: VectorSpace,
  text: string | undefined,
  vector: Float32Array | undefined,
): VectorEntry {
  return {
    state: 'wanted',
    space: space.id,
    generation: newGeneration(environment),
    source: hashOfText(text ?? ''),
    given: vector && hashOfVector(vector),
    passages: undefined,
  };
}

function isSame(entry: VectorEntry | undefined, next: VectorEntry): entry is VectorEntry {
  return entry !== undefined && entry.source === next.source && entry.given === next.given;
}

/** Whether the text that the code makes is the one that the space holds vectors of. */
function isOfCode(embedding: EmbeddingModel, space: VectorSpace): boolean {
  return space.spec.template === embedding.template;
}

function canEmbed({ embedders }: VectorContext, embedding: EmbeddingModel, space: VectorSpace): boolean {
  return isOfCode(embedding, space) && embedders.get(space.spec.embedder) !== undefined;
}

/** Whether the space that is being built gets the vector, so that the entity is found again once it is switched to. */
function hasSuccessor(vectors: VectorContext, embedding: EmbeddingModel, { building }: SpacesInUse): boolean {
  return building !== undefined && canEmbed(vectors, embedding, building);
}

function mismatch(
  { model }: RepositoryContext,
  id: readonly IdPart[],
  { name, template }: EmbeddingModel,
  { spec }: VectorSpace,
): NorimakiError<'embedding.mismatch'> {
  const what =
    spec.template === template
      ? `were made by the embedder ${spec.embedder}, which this program does not have`
      : `were made of the text "${spec.template}", and this program makes "${template}"`;
  return new NorimakiError(
    'embedding.mismatch',
    `${describeRecord(model, id)} cannot be saved: the vectors of ${model.name}.${name} ${what}. Move them with reindex(), or pass the former embedder in open(store, { embedders }).`,
    { entity: model.name, embedding: name },
  );
}
