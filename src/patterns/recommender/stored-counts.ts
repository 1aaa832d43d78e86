import type { Environment } from '../../core/clock.ts';
import { pickInt } from '../../core/seeded-random.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { type Counts, coVisitsOf, popularityOf, tallyAll } from './counts.ts';
import type { Effect } from './profile.ts';
import type { RecommenderRecords } from './records.ts';
import type { RecommenderSettings } from './settings.ts';
import { type Ranked, ranked, type Tallied } from './tally.ts';

/** What was counted over all users, in the store. Counts that wait for one record at the same time share a write. */
export class StoredCounts implements Counts {
  readonly #settings: RecommenderSettings;
  readonly #records: RecommenderRecords;
  /** Where this process counts what is popular, so that processes seldom meet and its own counts share writes. */
  readonly #shard: number;

  constructor(settings: RecommenderSettings, records: RecommenderRecords, { random }: Environment) {
    this.#settings = settings;
    this.#records = records;
    this.#shard = pickInt(random, settings.popular?.shards ?? 1);
  }

  async popular(signal: AbortSignal | undefined): Promise<readonly Ranked[]> {
    const { name, popular, halfLife } = this.#settings;
    if (popular === undefined) return [];
    const shards = Array.from({ length: popular.shards }, (_, shard) => ({ name, shard }));
    const found = await this.#records.popular.getMany(shards, { signal });
    return ranked(
      found.map((record) => record?.items ?? []),
      halfLife,
    );
  }

  async beside(items: readonly string[], signal: AbortSignal | undefined): Promise<readonly (readonly Tallied[])[]> {
    const { name, coVisit } = this.#settings;
    if (coVisit === undefined || items.length === 0) return items.map(() => []);
    const found = await this.#records.coVisits.getMany(
      items.map((item) => ({ name, item })),
      { signal },
    );
    return found.map((record) => record?.items ?? []);
  }

  /** Errors: those of a write; then some of it may be counted. */
  async add(effects: readonly Effect[], options: BlockCallOptions): Promise<void> {
    await Promise.all([this.#addPopular(effects, options), this.#addCoVisits(effects, options)]);
  }

  async #addPopular(effects: readonly Effect[], options: BlockCallOptions): Promise<void> {
    const { name, popular } = this.#settings;
    const counts = popularityOf(effects);
    if (popular === undefined || counts.length === 0) return;
    await this.#records.popular.mutate(
      { name, shard: this.#shard },
      (draft) => tallyAll(draft.items, counts, popular.top, this.#settings),
      { ...options, ifAbsent: () => ({ items: [] }) },
    );
  }

  async #addCoVisits(effects: readonly Effect[], options: BlockCallOptions): Promise<void> {
    const { name, coVisit } = this.#settings;
    if (coVisit === undefined) return;
    await Promise.all(
      coVisitsOf(effects).map(({ into, counts }) =>
        this.#records.coVisits.mutate(
          { name, item: into },
          (draft) => tallyAll(draft.items, counts, coVisit.top, this.#settings),
          { ...options, ifAbsent: () => ({ items: [] }) },
        ),
      ),
    );
  }
}
