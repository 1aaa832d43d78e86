import type { Duration } from '../../core/duration.ts';
import type { Shape } from '../../core/model/types.ts';
import type { DoctorOptions, DoctorReport, Passage, Repository, VectorRepository } from '../../repositories/index.ts';
import type { BlockOptions } from '../shared/options.ts';

/** A repository whose entity has an `@Embedding`, on a store with vectors. */
export type SearchableRepository<S extends Shape> = Repository<S> & VectorRepository<S>;

/** Names of fields of an entity. */
export type LexicalField<S extends Shape> = keyof S['entity'] & string;

/** Takes a text apart into the terms that are compared. */
export interface Analyzer {
  /** Names what it does; a snapshot that was made with another is built anew. At most 100 characters. */
  readonly id: string;
  /** The terms of a text or of a query, repeated as often as they occur. */
  terms(text: string): readonly string[];
}

/** How entities are found by their words. */
export interface LexicalOptions<S extends Shape> {
  /** Fields of strings or of lists of strings, and how much a word in each counts. */
  readonly fields: Readonly<Partial<Record<LexicalField<S>, number>>>;
  /** Default: words of any script, in lower case and without accents. */
  readonly analyzer?: Analyzer | undefined;
  /** Terms that are passed over, as the analyzer returns them. Default: none. */
  readonly stopWords?: readonly string[] | undefined;
  /** How often the index of words is kept in the store, if it has changed; default 10 minutes, and at `close`. `false`: never. */
  readonly snapshot?: { readonly every?: Duration | undefined } | false | undefined;
}

/** How much each side of a search counts. */
export interface HybridWeights {
  /** From 0, the vectors alone, to 1, the words alone. */
  readonly lexical: number;
}

/** What a semantic index is told when it is made. */
export interface SemanticIndexOptions<S extends Shape> extends Pick<BlockOptions, 'name'> {
  /** Which `@Embedding`; default: all, an entity counting by its best. */
  readonly embedding?: S['embedding'] | undefined;
  /** Also finds by words; without it by vectors alone. */
  readonly lexical?: LexicalOptions<S> | undefined;
  /** Default with `lexical`: `{ lexical: 0.4 }`. */
  readonly hybrid?: HybridWeights | undefined;
  /** What a search does while the embedder is down: `'throw'` (default) its error, or answer by words alone. */
  readonly whenEmbedderFails?: 'throw' | 'lexical' | undefined;
}

/** What a search by an entity takes. */
export interface SimilarOptions<S extends Shape> {
  /** Hits of a page; 1 to 100, default 10. */
  readonly limit?: number | undefined;
  /** Conditions on fields, as `find` of a repository takes them. */
  readonly where?: S['where'] | undefined;
  /** Any other condition; runs often, and must not change the entity. */
  readonly filter?: ((entity: S['entity']) => boolean) | undefined;
  /** From 0 to 1: only hits with at least this score. In a hybrid search of the vectors' score; who is found by words stays. */
  readonly minScore?: number | undefined;
  /** From 0, the best hits (default), to 1, hits as unlike each other as can be. */
  readonly diversify?: number | undefined;
  /** `next` of the page before. */
  readonly cursor?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a search by a text takes. */
export interface FindOptions<S extends Shape> extends SimilarOptions<S> {
  /** Default: that of the index. */
  readonly hybrid?: HybridWeights | undefined;
}

/** Where a hit stands by its vector. */
export interface VectorWhy {
  /** From 1. */
  readonly rank: number;
  /** From 0 to 1. */
  readonly score: number;
}

/** Where a hit stands by its words. */
export interface LexicalWhy {
  /** From 1. */
  readonly rank: number;
  /** From 0 to 1: its BM25 as a share of the best. */
  readonly score: number;
  /** Those of the query's terms that it has. */
  readonly terms: readonly string[];
}

/** One entity that was found, as its record is now. */
export interface SemanticHit<T> {
  readonly entity: T;
  /** From 0 to 1: of one side its own; of both where it stands in them, 1 being the first of both. */
  readonly score: number;
  /** The part of the text that was nearest, where the embedding is of parts. */
  readonly passage: Passage | undefined;
  readonly why: { readonly vector?: VectorWhy | undefined; readonly lexical?: LexicalWhy | undefined };
}

/** What a page had to do without: `'vectors'`, the embedder was down; `'changes'`, words that others wrote of late may be missing. */
export type Lack = 'vectors' | 'changes';

/** One page of a search. */
export interface SearchPage<T> {
  readonly hits: readonly SemanticHit<T>[];
  /** There are no more hits than these and those of the pages before. */
  readonly exhausted: boolean;
  /** What an index still had of entities that had changed, expired or gone. */
  readonly dropped: number;
  /** Entities whose vectors are still to be made, up to 1,000: only their words can be found yet. */
  readonly pending: number;
  /** Empty in good times. */
  readonly lacks: readonly Lack[];
  /** Where the next page begins; `undefined` if there is none. */
  readonly next: string | undefined;
}

/** How far an index of words is. */
export interface ReadyProgress {
  /** `'snapshot'`: what was kept is loaded; `'records'`: all records are looked at. */
  readonly phase: 'snapshot' | 'records';
  /** Records that were looked at. */
  readonly done: number;
  /** Those whose words were taken anew, because nobody knew them in this version. */
  readonly indexed: number;
}

export interface ReadyOptions {
  /** Gives up waiting; the building goes on until `close`. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ReadyProgress) => void) | undefined;
}

/** What an index of words is and did. */
export interface LexicalStats {
  /** Entities that can be found by their words. */
  readonly documents: number;
  readonly terms: number;
  /** Texts that were taken apart since it was made. */
  readonly indexed: number;
  /** Whether it began with a snapshot. */
  readonly isFromSnapshot: boolean;
  /** Snapshots that this object stored. */
  readonly snapshots: number;
  /** All of the records, for a second time or more: after a watch was cut off. */
  readonly rescans: number;
}

/** What a doctor saw of the words. */
export interface LexicalReport {
  readonly checked: number;
  /** Records that were newer than what the index knew: usual while others write. */
  readonly behind: number;
  /** Entries that were of another text than the record's, or of no record. */
  readonly wrong: number;
  /** Pieces of snapshots that nobody needs. */
  readonly orphans: number;
  readonly fixed: number;
}

export type SearchDoctorOptions = Pick<DoctorOptions, 'fix' | 'signal' | 'onProgress'>;

export interface SearchDoctorReport extends DoctorReport {
  /** `undefined` without `lexical`. */
  readonly lexical: LexicalReport | undefined;
}
