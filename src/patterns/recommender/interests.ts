import { recentlyUsed } from '../../core/recently-used.ts';
import type { Metric } from '../../core/vectors/index.ts';
import type { Version } from '../../core/version.ts';
import { comparable, mean } from './geometry.ts';
import { likedItems, type Profile, type ProfileItem } from './profile.ts';
import type { RecommenderSettings } from './settings.ts';
import type { ItemVectors } from './vectors.ts';
import { clustersOf } from './ward.ts';

/** One part of a taste. */
export interface Interest {
  /** Where items of this kind are, as a vector to search by. */
  readonly centre: Float32Array;
  /** How much of the taste it is, from 0 to 1. */
  readonly share: number;
  /** The items that it is made of, the heaviest first. */
  readonly items: readonly ProfileItem[];
}

/** The items that a taste is divided by: the heaviest. */
const MOST_ITEMS = 64;
/** Users whose interests a process remembers. */
const REMEMBERED = 1000;

/** A profile as it was read; without a version it is not stored, and nothing is remembered of it. */
export interface ReadProfile {
  readonly user: string;
  readonly profile: Profile;
  readonly version: Version | undefined;
}

interface Known {
  readonly version: Version;
  readonly interests: readonly Interest[];
}

/**
 * Divides tastes into interests, from the vectors that items have at the time: a changed text or another model needs nothing of a
 * profile. Remembered for as long as the profile is the same, and for as long as vectors are.
 */
export class Interests {
  readonly #settings: RecommenderSettings;
  readonly #vectors: ItemVectors;
  readonly #metric: Metric;
  readonly #known: ReturnType<typeof recentlyUsed<Known>>;

  constructor(settings: RecommenderSettings, vectors: ItemVectors, metric: Metric) {
    this.#settings = settings;
    this.#vectors = vectors;
    this.#metric = metric;
    this.#known = recentlyUsed(REMEMBERED, vectors.aging);
  }

  /** The largest first. */
  async of({ user, profile, version }: ReadProfile, signal: AbortSignal | undefined): Promise<readonly Interest[]> {
    const known = this.#known.get(user);
    if (known !== undefined && known.version === version) return known.interests;
    const interests = await this.#divide(profile, signal);
    if (version !== undefined) this.#known.set(user, { version, interests });
    return interests;
  }

  forget(user: string): void {
    this.#known.delete(user);
  }

  /** Of everybody. */
  clear(): void {
    this.#known.clear();
    this.#vectors.forget();
  }

  async #divide(profile: Profile, signal: AbortSignal | undefined): Promise<readonly Interest[]> {
    const liked = likedItems(profile, this.#settings).slice(0, MOST_ITEMS);
    const vectors = await this.#vectors.of(
      liked.map(({ item }) => item),
      signal,
    );
    const points = liked.flatMap((one) => {
      const vector = vectors.get(one.item);
      return vector === undefined ? [] : [{ one, vector: comparable(vector, this.#metric) }];
    });
    const total = points.reduce((sum, { one }) => sum + one.weight, 0);
    const clusters = clustersOf(
      points.map(({ vector }) => vector),
      this.#settings.interests,
    );
    return clusters
      .flatMap((cluster) => {
        const members = [...cluster].sort((a, b) => a - b).flatMap((i) => points[i] ?? []);
        const centre = mean(members.map(({ one, vector }) => ({ vector, weight: one.weight })));
        const weight = members.reduce((sum, { one }) => sum + one.weight, 0);
        return centre === undefined ? [] : [{ centre, share: weight / total, items: members.map(({ one }) => one) }];
      })
      .sort((a, b) => b.share - a.share);
  }
}
