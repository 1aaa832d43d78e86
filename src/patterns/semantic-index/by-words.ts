import { idOfKey } from './entity-key.ts';
import { readable } from './lexical/readable.ts';
import type { TextMatch, WordIndex } from './lexical/word-index.ts';
import type { Words } from './lexical/words.ts';
import type { Plan } from './plan.ts';
import type { Ranked, Side } from './ranked.ts';
import type { SearchParts } from './search-parts.ts';

/** Records that one read asks the store for. */
const CHUNK = 128;
/** Records that one search reads at most. */
const MAX_READ = 2000;
/** What was read may show that the ranks are of former texts; then they are made again. */
const TRIES = 3;

/** Entities that a search has read already, by their keys. */
export type Entities = ReadonlyMap<string, object>;

/**
 * The best by their words. Each is compared with its record: one that has other texts by now is taken anew, and the
 * ranks are made again. Errors: those of a read.
 */
export async function byWords({ inside }: SearchParts, words: Words, plan: Plan, entities: Entities): Promise<Side> {
  const { index } = words;
  const { query, signal } = plan;
  const terms = 'text' in query ? index.inverted.termsOf(query.text) : [];
  // Who was found by a vector, and has other words than we know: somebody else wrote it just now.
  for (const [key, entity] of entities) if (!index.isCurrent(key, entity)) index.markKey(key);
  let dropped = 0;
  for (let tries = 1; ; tries++) {
    // What this process has written is found, by its words as by its vector.
    await index.settle(signal);
    const walk = new Walk(index.search(terms, MAX_READ), plan);
    while (walk.goesOn) {
      const matches = walk.take(CHUNK);
      const unread = matches.filter(({ key }) => !entities.has(key));
      const records = await inside.records(
        unread.map(({ key }) => idOfKey(key)),
        { signal },
      );
      const read = new Map(unread.map(({ key }, i) => [key, readable(records[i])]));
      for (const match of matches) {
        const entity = entities.get(match.key) ?? read.get(match.key);
        const isCurrent = entity !== undefined && index.hasTexts(entity, match.hash);
        if (isCurrent) walk.meet(match, entity);
        // Who was found by a vector, and was written since: its words are of another text than its vector.
        else if (!entities.has(match.key)) walk.drop(match, entity !== undefined);
      }
    }
    for (const key of walk.stale) index.markKey(key);
    dropped += walk.stale.length;
    if (!walk.isOutdated || tries === TRIES) return { ranked: walk.ranked, exhausted: walk.isAtEnd, dropped };
  }
}

/** A walk along the matches, from the best. */
class Walk {
  readonly ranked: Ranked[] = [];
  /** Keys of matches that are not what their records hold. */
  readonly stale: string[] = [];
  isOutdated = false;
  readonly #matches: readonly TextMatch[];
  readonly #isWhole: boolean;
  readonly #plan: Plan;
  readonly #best: number;
  #at = 0;

  constructor({ matches, count }: ReturnType<WordIndex['search']>, plan: Plan) {
    this.#plan = plan;
    this.#best = matches[0]?.score ?? 1;
    // Of both sides `minScore` is about the vectors.
    const least = plan.lexicalWeight === 1 ? (plan.minScore ?? 0) * this.#best : 0;
    const good = least > 0 ? matches.filter(({ score }) => score >= least) : matches;
    this.#matches = good;
    this.#isWhole = good.length < matches.length || matches.length === count;
  }

  /** There are no more than those that were met. */
  get isAtEnd(): boolean {
    return this.#isWhole && this.#at >= this.#matches.length;
  }

  get goesOn(): boolean {
    return this.#at < this.#matches.length && this.ranked.length < this.#plan.depth;
  }

  /** Not more than it takes if all of them fit. */
  take(most: number): readonly TextMatch[] {
    const count = Math.min(most, Math.max(MIN_CHUNK, this.#plan.depth - this.ranked.length));
    const taken = this.#matches.slice(this.#at, this.#at + count);
    this.#at += taken.length;
    return taken;
  }

  meet({ key, score, terms }: TextMatch, entity: object): void {
    if (this.#plan.isWanted(entity)) this.ranked.push({ key, entity, score: score / this.#best, terms });
  }

  drop({ key }: TextMatch, hasOtherText: boolean): void {
    this.stale.push(key);
    this.isOutdated ||= hasOtherText;
  }
}

const MIN_CHUNK = 16;
