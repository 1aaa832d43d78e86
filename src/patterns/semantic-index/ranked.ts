import type { Passage } from '../../repositories/index.ts';
import type { LexicalWhy, VectorWhy } from './types.ts';

/** One that a side of a search has found, and verified: its entity is what its record holds. */
export interface Ranked {
  readonly key: string;
  readonly entity: object;
  /** From 0 to 1. */
  readonly score: number;
  /** Of the vectors, where they are of parts of a text. */
  readonly passage?: Passage | undefined;
  /** Of the words. */
  readonly terms?: readonly string[] | undefined;
}

/** What one side of a search has found, the best first. */
export interface Side {
  readonly ranked: readonly Ranked[];
  /** There are no more than these. */
  readonly exhausted: boolean;
  /** What the index still had and no record has. */
  readonly dropped: number;
}

/** One of a search of both sides. */
export interface Fused {
  readonly key: string;
  readonly entity: object;
  readonly score: number;
  readonly passage: Passage | undefined;
  readonly why: { readonly vector?: VectorWhy | undefined; readonly lexical?: LexicalWhy | undefined };
}
