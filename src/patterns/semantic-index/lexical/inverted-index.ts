import MiniSearch, { type AsPlainObject, type Options } from 'minisearch';
import type { Analyzer } from '../types.ts';
import type { Texts } from './document.ts';

/** An entity that has some of the words. */
export interface WordMatch {
  readonly key: string;
  /** BM25, from 0. */
  readonly score: number;
  /** Those of the query's terms that it has. */
  readonly terms: readonly string[];
}

interface Document {
  readonly key: string;
  /** In the order of the fields. */
  readonly texts: readonly string[];
}

/** Below so many entries of documents that are gone, or so small a part of all, they are left where they are. */
const MIN_DIRT = 100;
const MIN_DIRT_SHARE = 0.1;

/** Which entities have which words, and how well they fit a query: BM25+ over weighted fields, by MiniSearch. */
export class InvertedIndex {
  readonly #fields: readonly string[];
  readonly #options: Options<Document>;
  readonly #analyzer: Analyzer;
  readonly #stopWords: ReadonlySet<string>;
  #mini: MiniSearch<Document>;
  #cleaning: Promise<void> | undefined;

  /** `fields`: and the weight of each. */
  constructor(fields: Readonly<Record<string, number>>, analyzer: Analyzer, stopWords: ReadonlySet<string>) {
    this.#fields = Object.keys(fields);
    this.#analyzer = analyzer;
    this.#stopWords = stopWords;
    // By their numbers, so that no name of a field stands for anything else.
    const numbers = this.#fields.map((_, i) => String(i));
    this.#options = {
      idField: 'key',
      fields: numbers,
      extractField: ({ key, texts }, field) => (field === 'key' ? key : (texts[Number(field)] ?? '')),
      tokenize: (text) => this.termsOf(text),
      processTerm: (term) => term,
      searchOptions: {
        boost: Object.fromEntries(numbers.map((number, i) => [number, Object.values(fields)[i] ?? 1])),
        tokenize: (terms) => terms.split(SEPARATOR),
      },
      // It is cleaned below, where it is known when that ends.
      autoVacuum: false,
      logger: () => {},
    };
    this.#mini = new MiniSearch(this.#options);
  }

  get documents(): number {
    return this.#mini.documentCount;
  }

  get terms(): number {
    return this.#mini.termCount;
  }

  termsOf(text: string): string[] {
    return this.#analyzer
      .terms(text)
      .filter((term) => term !== '' && !term.includes(SEPARATOR) && !this.#stopWords.has(term));
  }

  has(key: string): boolean {
    return this.#mini.has(key);
  }

  set(key: string, texts: Texts): void {
    this.delete(key);
    this.#mini.add({ key, texts: this.#fields.map((field) => (texts[field] ?? []).join('\n')) });
  }

  delete(key: string): void {
    if (!this.#mini.has(key)) return;
    this.#mini.discard(key);
    this.#clean();
  }

  /** The best first. */
  search(terms: readonly string[]): WordMatch[] {
    // As a repeated word weighs no more than itself, each is asked for once.
    const found = this.#mini.search([...new Set(terms)].join(SEPARATOR));
    // What was given as id is a string.
    return found.map(({ id, score, queryTerms }) => ({ key: id as string, score, terms: queryTerms }));
  }

  /** All of it, as JSON can carry it. */
  dump(): AsPlainObject {
    return this.#mini.toJSON();
  }

  /** Errors: whatever MiniSearch throws for what it did not write. */
  load(dump: AsPlainObject): void {
    this.#mini = MiniSearch.loadJS<Document>(dump, this.#options);
  }

  clear(): void {
    this.#mini = new MiniSearch(this.#options);
  }

  /** Waits for what is going on by itself. */
  async close(): Promise<void> {
    await this.#cleaning;
    this.clear();
  }

  #clean(): void {
    const { dirtCount, dirtFactor } = this.#mini;
    if (this.#cleaning !== undefined || dirtCount < MIN_DIRT || dirtFactor < MIN_DIRT_SHARE) return;
    // A thousand terms, then others have their turn.
    this.#cleaning = this.#mini.vacuum({ batchSize: 1000, batchWait: 1 }).finally(() => {
      this.#cleaning = undefined;
    });
  }
}

/** Between the terms of a query; it is no text, and in no term. */
const SEPARATOR = '\uffff';
