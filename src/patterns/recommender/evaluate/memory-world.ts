import { type Counts, coVisitsOf, popularityOf, tallyAll } from '../counts.ts';
import { applyEvent, blankProfile, type Effect, type Profile, type ProfileEvent } from '../profile.ts';
import type { RecommenderSettings } from '../settings.ts';
import { type Ranked, ranked, type Tallied } from '../tally.ts';

/** Profiles and counts as they would be in a store in which nothing but these events was recorded. */
export class MemoryWorld implements Counts {
  readonly #settings: RecommenderSettings;
  readonly #profiles = new Map<string, Profile>();
  readonly #popular: Tallied[] = [];
  readonly #beside = new Map<string, Tallied[]>();

  constructor(settings: RecommenderSettings) {
    this.#settings = settings;
  }

  record(user: string, event: ProfileEvent): void {
    const profile = this.profile(user);
    this.#profiles.set(user, profile);
    const applied = applyEvent(profile, event, this.#settings);
    if (!applied.replayed) this.#count(applied.effect);
  }

  profile(user: string): Profile {
    return this.#profiles.get(user) ?? blankProfile();
  }

  popular(): Promise<readonly Ranked[]> {
    return Promise.resolve(ranked([this.#popular], this.#settings.halfLife));
  }

  beside(items: readonly string[]): Promise<readonly (readonly Tallied[])[]> {
    return Promise.resolve(items.map((item) => this.#beside.get(item) ?? []));
  }

  #count(effect: Effect): void {
    const { popular, coVisit } = this.#settings;
    const MOST = 1000;
    tallyAll(this.#popular, popularityOf([effect]), popular?.top ?? MOST, this.#settings);
    for (const { into, counts } of coVisitsOf([effect])) {
      const list = this.#beside.get(into) ?? [];
      this.#beside.set(into, list);
      tallyAll(list, counts, coVisit?.top ?? MOST, this.#settings);
    }
  }
}
