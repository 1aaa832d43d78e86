import { NorimakiError } from '../../core/errors.ts';
import type { Shape } from '../../core/model/types.ts';
import type { ReindexOptions, ReindexResult, ReindexStepOptions, WatchRepository } from '../../repositories/index.ts';
import { insideOf } from '../../repositories/internal.ts';
import { refuse } from '../shared/options.ts';
import { findPage } from './find.ts';
import { Words } from './lexical/words.ts';
import { planOf, type Query } from './plan.ts';
import type { SearchParts } from './search-parts.ts';
import { settingsOf } from './settings.ts';
import type {
  FindOptions,
  LexicalStats,
  ReadyOptions,
  SearchableRepository,
  SearchDoctorOptions,
  SearchDoctorReport,
  SearchPage,
  SemanticIndexOptions,
  SimilarOptions,
} from './types.ts';

/**
 * Finds the entities of a repository by what their texts mean and by the words in them. What is returned was read from
 * its record by that very call: nothing deleted, expired or changed, and nothing of another tenant, is ever a hit.
 *
 * Vectors are kept in step by the `@Embedding` of the entity. Words are in the memory of each process, kept in step by
 * what this process writes and by a watch of what others write, and kept in the store by snapshots.
 *
 * @example
 * ```ts
 * await using search = new SemanticIndex(db.repo(Article), { name: 'articles', lexical: { fields: { title: 3, body: 1 } } });
 * await search.ready();
 * const { hits, next } = await search.find('neural networks', { limit: 10, where: { lang: 'en' } });
 * for (const { entity, score, why } of hits) console.log(score.toFixed(2), entity.title, why.lexical?.terms);
 * ```
 */
export class SemanticIndex<S extends Shape> implements AsyncDisposable {
  readonly name: string;
  readonly #repository: SearchableRepository<S>;
  readonly #parts: SearchParts;

  /** `repository`: from `db.repo()`. Errors: `argument.invalid`, `capability.missing` for words on a store without scan. */
  constructor(repository: SearchableRepository<S>, options: SemanticIndexOptions<S>) {
    const inside = insideOf(repository);
    if (inside === undefined) {
      refuse('repository', 'A SemanticIndex takes what db.repo() returned: new SemanticIndex(db.repo(Article), …).');
    }
    const settings = settingsOf(inside.model, options);
    const { capabilities } = inside.db.store;
    if (settings.lexical !== undefined && !capabilities.scan) throw withoutScan();
    this.name = settings.name;
    this.#repository = repository;
    // Untyped inside, as the repository itself is.
    const untyped = repository as unknown as SearchableRepository<Shape> & WatchRepository<Shape>;
    const watch = capabilities.watch ? (signal: AbortSignal) => untyped.watch({ signal }) : undefined;
    const words = settings.lexical && new Words(settings.name, inside, settings.lexical, watch);
    this.#parts = { repository: untyped, inside, settings, words };
  }

  /**
   * Makes the index of words, from the newest snapshot and what was written since; before it has, nothing is found by
   * words. Without `lexical` there is nothing to do. Harmless twice.
   *
   * Errors: those of a read and of a watch, `search.notReady` once closed.
   */
  async ready(options: ReadyOptions = {}): Promise<void> {
    await this.#parts.words?.ready(options);
  }

  /**
   * One page of the entities that fit a text best.
   *
   * Errors: `argument.invalid`, `search.notReady`, `search.wrongCursor`, and those of a repository's `search`:
   * `embedding.mismatch`, `embedder.unavailable`, `embedder.rejected`.
   *
   * @example
   * ```ts
   * let page = await search.find('raw fish', { where: { lang: 'en' }, hybrid: { lexical: 0.5 }, diversify: 0.3 });
   * if (page.next !== undefined) page = await search.find('raw fish', { …, cursor: page.next });
   * ```
   */
  async find(query: string, options: FindOptions<S> = {}): Promise<SearchPage<S['entity']>> {
    return this.#page({ text: query }, options);
  }

  /** One page of the entities that are most like one of them, by their vectors; itself left out. Errors: as `find`, `not.found`. */
  async similar(id: S['id'], options: SimilarOptions<S> = {}): Promise<SearchPage<S['entity']>> {
    return this.#page({ like: this.#parts.inside.idParts(id) }, options);
  }

  /**
   * Reads all records again for their words, as far as they have changed. Only a store without watch needs that, to
   * find what other processes wrote. Errors: `search.notReady`, those of a read.
   */
  async refresh({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    await this.#parts.words?.refresh(signal);
  }

  /**
   * Moves the vectors to another model while others read and write: see `reindex` of a repository. Each page answers
   * wholly from one model. Errors: those of a repository's `reindex`.
   */
  reindex(options: Omit<ReindexOptions<S['embedding']>, 'field'> = {}): Promise<ReindexResult> {
    return this.#repository.reindex(this.#withField(options));
  }

  /** Drops the vectors that the last `reindex` kept. `false`: there were none. Errors: `reindex.conflict`. */
  finishReindex(options: Omit<ReindexStepOptions<S['embedding']>, 'field'> = {}): Promise<boolean> {
    return this.#repository.finishReindex(this.#withField(options));
  }

  /** Gives up a `reindex`, or goes back to the former vectors. `false`: nothing to take back. Errors: `embedding.mismatch`. */
  rollbackReindex(options: Omit<ReindexStepOptions<S['embedding']>, 'field'> = {}): Promise<boolean> {
    return this.#repository.rollbackReindex(this.#withField(options));
  }

  /**
   * Compares every record with its vectors, its entries and its words; with `fix` it mends what it finds.
   * Errors: those of `doctor` of a database, `search.notReady`.
   */
  async doctor(options: SearchDoctorOptions = {}): Promise<SearchDoctorReport> {
    const { inside, words } = this.#parts;
    words?.checkReady();
    const report = await inside.db.doctor({ ...options, entities: [inside.source] });
    const lexical = await words?.audit(options);
    const isMended = lexical === undefined || lexical.wrong + lexical.orphans <= lexical.fixed;
    return { ...report, lexical, isHealthy: report.isHealthy && isMended };
  }

  /** What the index of words is and did; `undefined` without `lexical`. */
  stats(): LexicalStats | undefined {
    return this.#parts.words?.stats();
  }

  /** Keeps the words that have changed in the store, ends the watch, and forgets what is in memory. Never rejects. Harmless twice. */
  async close(): Promise<void> {
    await this.#parts.words?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #page(query: Query, options: FindOptions<S>): Promise<SearchPage<S['entity']>> {
    // Of this very shape: the parts are untyped inside.
    const untyped = options as unknown as FindOptions<Shape>;
    return findPage(this.#parts, planOf(this.#parts, query, untyped));
  }

  #withField<O extends object>(options: O): O & { field?: S['embedding'] | undefined } {
    // Checked when this was made.
    return { ...options, field: this.#parts.settings.embedding as S['embedding'] | undefined };
  }
}

function withoutScan(): NorimakiError<'capability.missing'> {
  const message =
    'SemanticIndex needs a store with scan to find by words, as without it nobody can list what there is: use the memory or the embedded store, or leave out lexical.';
  return new NorimakiError('capability.missing', message, { capability: 'scan', neededBy: 'SemanticIndex' });
}
