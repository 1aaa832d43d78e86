import { NorimakiError } from '../../core/errors.ts';
import type { EmbeddingModel, EntityModel } from '../../core/model/model.ts';
import { hydrate, type Values } from '../entity.ts';
import { cut, type Passage } from './cut.ts';
import type { VectorEntry } from './entry.ts';
import { hashOfCuts, hashOfText, type SpaceSpec, type VectorSpace } from './space.ts';

/** What an entry says of the passages of its text. */
export type NamedPassages = NonNullable<VectorEntry['passages']>;

/** The texts of the vectors of one text, in order: its passages, or itself. */
export function textsOf({ chunk }: SpaceSpec, text: string): readonly string[] {
  return chunk === undefined ? [text] : cut(text, chunk).map((passage) => passage.text);
}

export function namedPassages(passages: readonly Passage[]): NamedPassages {
  return { count: passages.length, cuts: hashOfCuts(passages) };
}

/**
 * Whether the vectors of an entry are of just the passages that this program cuts the text into: another version of
 * Unicode may have put a boundary elsewhere.
 */
export function isCutAlike({ chunk }: SpaceSpec, { passages }: VectorEntry, text: string): boolean {
  if (chunk === undefined || passages === undefined) return chunk === passages;
  const { count, cuts } = namedPassages(cut(text, chunk));
  return passages.count === count && passages.cuts === cuts;
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
  if (text === undefined || hashOfText(text) !== entry.source || !isCutAlike(spec, entry, text)) return undefined;
  return cut(text, spec.chunk)[passage];
}
