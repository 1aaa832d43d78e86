import type { BlockCallOptions } from '../shared/options.ts';
import type { ReadProfile } from './interests.ts';
import { blankProfile } from './profile.ts';
import type { RecommenderRecords } from './records.ts';

/** The profiles in the store. */
export class Profiles {
  readonly #name: string;
  readonly #records: RecommenderRecords['profiles'];

  constructor(name: string, { profiles }: RecommenderRecords) {
    this.#name = name;
    this.#records = profiles;
  }

  /** An empty one of a user of whom nothing is known. What cannot be read is an error, and not a new user. */
  async read(user: string, signal: AbortSignal | undefined): Promise<ReadProfile> {
    const found = await this.#records.get({ name: this.#name, user }, { signal });
    if (found === undefined) return { user, profile: blankProfile(), version: undefined };
    const { items, events, seen, rejected, version } = found;
    return { user, profile: { items, events, seen, rejected }, version };
  }

  /** Whether there was one. */
  forget(user: string, options: BlockCallOptions): Promise<boolean> {
    return this.#records.delete({ name: this.#name, user }, options);
  }
}
