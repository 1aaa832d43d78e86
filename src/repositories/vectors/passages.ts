import { NorimakiError } from '../../core/errors.ts';
import type { Chunking, EmbeddingModel, EntityModel } from '../../core/model/model.ts';
import { hydrate, type Values } from '../entity.ts';
import { cut, type Passage } from './cut.ts';
import type { VectorEntry } from './entry.ts';
import { hashOfCuts, hashOfText, type SpaceSpec, type VectorSpace } from './space.ts';

/** The texts of the vectors of one text, in order: its passages, or itself. */
export function textsOf({ chunk }: SpaceSpec, text: string): readonly string[] {
  return chunk === undefined ? [text] : cut(text, chunk).map((passage) => passage.text);
}

/** What an entry says of the passages of its text. */
export type NamedPassages = NonNullable<VectorEntry['passages']>;

export function namedPassages(passages: readonly Passage[]): NamedPassages {
  return { count: passages.length, cuts: hashOfCuts(passages) };
}

/**
 * The passages of a text, where the vectors of an entry are of just these; else `undefined`: another version of Unicode may
 * have put a boundary elsewhere.
 */
export function passagesBehind(
  chunk: Chunking,
  { passages: named }: VectorEntry,
  text: string,
): readonly Passage[] | undefined {
  if (named === undefined) return undefined;
  const passages = cut(text, chunk);
  const { count, cuts } = namedPassages(passages);
  return named.count === count && named.cuts === cuts ? passages : undefined;
}

/** The texts of the vectors of an entry, in order: the passages of its text, or that itself. Else as {@link passagesBehind}. */
export function textsBehind({ chunk }: SpaceSpec, entry: VectorEntry, text: string): readonly string[] | undefined {
  if (chunk !== undefined) return passagesBehind(chunk, entry, text)?.map((passage) => passage.text);
  return entry.passages === undefined ? [text] : undefined;
}

/** Errors: `embedding.tooLong`. */
export function checkPassages({ name }: EntityModel, embedding: EmbeddingModel, passages: number): void {
  const limit = mostPassages(embedding);
  if (passages <= limit) return;
  throw new NorimakiError(
    'embedding.tooLong',
    `The text of ${name}.${embedding.name} is ${passages} passages long; the limit is ${limit}. Shorten it, cut larger ones (chunk.size), or raise chunk.limit.`,
    { entity: name, embedding: embedding.name, passages, limit },
  );
}

/** If no limit is given. */
const DEFAULT_LIMIT = 256;

function mostPassages({ chunk }: EmbeddingModel): number {
  return chunk?.limit ?? DEFAULT_LIMIT;
}

/** A passage of a record, by the vector that a search has found. */
export interface PassageName {
  readonly entry: VectorEntry;
  readonly passage: number | undefined;
  readonly values: Readonly<Values>;
}

/** The passage itself; `undefined` where there is none, or the program makes another text, or cuts it elsewhere. */
export function passageOf(
  model: EntityModel,
  { source }: EmbeddingModel,
  { spec }: VectorSpace,
  { entry, passage, values }: PassageName,
): Passage | undefined {
  if (spec.chunk === undefined || passage === undefined || source === undefined) return undefined;
  let text: string | undefined;
  try {
    text = source(hydrate(model, values, undefined));
  } catch {
    // What the program cannot make a text of has its score all the same.
    return undefined;
  }
  if (text === undefined || hashOfText(text) !== entry.source) return undefined;
  return passagesBehind(spec.chunk, entry, text)?.[passage];
}
