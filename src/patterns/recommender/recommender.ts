import type { EntitySource, ShapeOf } from '../../core/model/types.ts';
import type { VectorStore } from '../../core/store.ts';
import type { BulkOptions, Database, ItemResult } from '../../repositories/index.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { requireStore } from '../shared/require-store.ts';
import { type RecommendOptions, recommendSettings, type SimilarOptions, similarSettings } from './call-options.ts';
import { type EvaluateOptions, evaluateSettings, historyOf } from './evaluate/call.ts';
import { type Evaluation, evaluate } from './evaluate/evaluate.ts';
import { openParts, type RecommenderContext } from './open-parts.ts';
import { profileView, type UserProfile } from './profile-view.ts';
import { recommend, twice } from './recommend.ts';
import type { Recorded } from './recordings.ts';
import { checkUser, type RecommenderOptions, settingsOf } from './settings.ts';
import { similarItems } from './similar.ts';
import type { Suggestion } from './strategies/call.ts';
import type { ItemIdOf, ItemOf, Recommendation, SimilarItem, UserEvent } from './types.ts';

export interface RecordOptions extends BlockCallOptions {
  /** When it happened; default: now. Later than now and `maxClockSkew` counts as then. */
  readonly at?: Date | number | undefined;
  /** Repeating the call with the same key, in any process, records once; a profile remembers its last 256 keys. */
  readonly idempotencyKey?: string | undefined;
  /** Reads the item first, and refuses one that is not there with `recommend.unknownItem`; default `false`. */
  readonly mustExist?: boolean | undefined;
}

/**
 * Recommends items by what users did. Items are entities with an `@Embedding`; what is known of a user is one record, and no vector.
 *
 * Errors of every call: `argument.invalid`, `record.corrupt`, `store.unavailable`, `store.closed`, `aborted`. Of every call that
 * writes: `conflict.exhausted`, `outcome.unknown`, `size.exceeded`, `record.newer`.
 *
 * @example
 * ```ts
 * const shop = new Recommender(db, Product, { name: 'shop', signals: { view: 1, cart: 4, buy: 8, dislike: -6 } });
 * await shop.record('mia', 'NORI-1', 'buy', { idempotencyKey: orderId });
 * for (const { item, because } of await shop.for('mia', { limit: 5 })) console.log(item.name, because);
 * ```
 */
export class Recommender<Source extends EntitySource, Signal extends string> {
  readonly name: string;
  readonly #ctx: RecommenderContext;

  /**
   * `source` is the entity of the items: a class with an `@Embedding`, or what `defineEntity` made.
   * Errors: `argument.invalid`, `capability.missing`, `model.invalid`.
   */
  constructor(
    db: Database<VectorStore>,
    source: Source,
    options: RecommenderOptions<Signal, ShapeOf<Source>['embedding']>,
  ) {
    const settings = settingsOf(options);
    requireStore('Recommender', db, options, {
      cas: 'what a user did can be lost',
      ifAbsent: 'the first that a user did can be lost',
    });
    this.name = settings.name;
    this.#ctx = openParts(db, source, settings);
  }

  /**
   * What a user did with an item. Exactly once under a key, also if answers of the store are lost.
   * Errors: `recommend.unknownSignal`; with `mustExist` also `recommend.unknownItem`.
   */
  async record(
    user: string,
    item: ItemIdOf<Source>,
    signal: Signal,
    { at, idempotencyKey, mustExist = false, ...options }: RecordOptions = {},
  ): Promise<Recorded> {
    const { recordings, parts, ids } = this.#ctx;
    if (mustExist) await parts.shelf.check(ids.nameOf(item), options.signal);
    return recordings.record({ user, item, signal, at, idempotencyKey }, options);
  }

  /**
   * Many events, a bounded number of users at once; one that fails does not stop the others. Events of one user share a write.
   *
   * @example
   * ```ts
   * const results = await shop.recordMany(events, { onProgress: ({ done, total }) => console.log(done, total) });
   * const failed = events.filter((_, i) => !results[i].ok);
   * ```
   */
  recordMany(
    events: readonly UserEvent<ItemIdOf<Source>, Signal>[],
    options: BulkOptions = {},
  ): Promise<ItemResult<Recorded>[]> {
    return this.#ctx.recordings.recordMany(events, options);
  }

  /**
   * Items for a user, each read for this call. Of a user of whom nothing is known, what the fallbacks know: never an error, and an
   * empty list only if there is nothing.
   *
   * @example
   * ```ts
   * const list = await shop.for('mia', { limit: 10, filter: (p) => p.stock > 0, diversify: 0.3, explore: 0.05, seed: 7 });
   * ```
   */
  async for(
    user: string,
    options: RecommendOptions<ItemOf<Source>, ShapeOf<Source>['where'], ItemIdOf<Source>> = {},
  ): Promise<Recommendation<ItemOf<Source>, ItemIdOf<Source>, Signal>[]> {
    const { parts, ids, profiles, counts, environment } = this.#ctx;
    const settings = recommendSettings(options, ids, parts.settings);
    const read = await profiles.read(checkUser(user), options.signal);
    const list = await recommend(parts, { read, counts }, settings, environment);
    return list.map((one) => this.#shown(one));
  }

  /**
   * Items that go with one of them, itself left out; for a `user`, those that go with what that user likes of its kind.
   * Errors: `recommend.unknownItem`.
   *
   * @example
   * ```ts
   * const next = await shop.similar('NORI-1', { user: 'mia', strategy: 'blended', limit: 5 });
   * ```
   */
  async similar(
    item: ItemIdOf<Source>,
    options: SimilarOptions<ItemOf<Source>, ShapeOf<Source>['where'], ItemIdOf<Source>> = {},
  ): Promise<SimilarItem<ItemOf<Source>>[]> {
    const { parts, ids, profiles, counts } = this.#ctx;
    const { user, signal } = options;
    const settings = similarSettings(options, ids);
    const read = user === undefined ? undefined : await profiles.read(checkUser(user), signal);
    const list = await twice(parts, () => similarItems(parts, { read, counts }, ids.nameOf(item), settings));
    return list.map(({ item: found, score, source }) => ({ item: found as ItemOf<Source>, score, source }));
  }

  /** What is known of a user, with the interests that it comes to. Of a user of whom nothing is known, nothing. */
  async profile(
    user: string,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<UserProfile<ItemIdOf<Source>, Signal>> {
    const { parts, ids, profiles } = this.#ctx;
    const read = await profiles.read(checkUser(user), signal);
    const interests = await twice(parts, () => parts.interests.of(read, signal));
    // Ids and signals come from the calls that recorded them.
    return profileView(read, interests, ids, parts.settings) as UserProfile<ItemIdOf<Source>, Signal>;
  }

  /**
   * Deletes all that is known of a user: one record. What is counted over all users names nobody. `false`: nothing was known.
   * What is recorded afterwards begins a new profile.
   */
  async forget(user: string, options: BlockCallOptions = {}): Promise<boolean> {
    const { parts, profiles } = this.#ctx;
    const wasThere = await profiles.forget(checkUser(user), options);
    parts.interests.forget(user);
    return wasThere;
  }

  /**
   * Judges strategies by a history: leaves out the last item that each user liked, recommends from what came before, and looks for
   * it. Beside them stand what is popular, the mean of all liked items, and a mean of which half is the last item. Changes nothing.
   *
   * @example
   * ```ts
   * const { quality } = await shop.evaluate(history, { k: [10], strategies: ['interests', 'blended'] });
   * console.log(quality.get('interests')?.get(10)?.recall, quality.get('popular')?.get(10)?.recall);
   * ```
   */
  async evaluate(
    history: Iterable<UserEvent<ItemIdOf<Source>, Signal>> | AsyncIterable<UserEvent<ItemIdOf<Source>, Signal>>,
    options: EvaluateOptions<ItemOf<Source>, ShapeOf<Source>['where'], ItemIdOf<Source>> = {},
  ): Promise<Evaluation> {
    const { parts, ids, recordings, environment } = this.#ctx;
    const settings = evaluateSettings(options, ids, parts.settings);
    const events = await historyOf(history, recordings, options.signal);
    return evaluate(parts, events, settings, environment);
  }

  #shown({ item, score, source, because }: Suggestion): Recommendation<ItemOf<Source>, ItemIdOf<Source>, Signal> {
    return {
      // It came from the repository of the source.
      item: item as ItemOf<Source>,
      score,
      source,
      because: because.map((reason) => ({
        item: this.#ctx.ids.idOf(reason.item) as ItemIdOf<Source>,
        // Only such were recorded.
        signal: reason.signal as Signal,
      })),
    };
  }
}
