import type { Environment } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { BulkOptions, ItemResult } from '../../repositories/index.ts';
import { forEachItem } from '../../repositories/internal.ts';
import { keyHash } from '../shared/key-ring.ts';
import { NothingToWrite } from '../shared/nothing-to-write.ts';
import { type BlockCallOptions, refuse } from '../shared/options.ts';
import { unknownSignal } from './errors.ts';
import type { ItemIds } from './item-ids.ts';
import { type Applied, applyEvent, blankProfile, type Effect, type Profile, type ProfileEvent } from './profile.ts';
import type { RecommenderRecords } from './records.ts';
import { checkUser, type RecommenderSettings } from './settings.ts';
import type { StoredCounts } from './stored-counts.ts';

/** What became of an event. */
export interface Recorded {
  /** An earlier call with its key has recorded it already; nothing was changed. */
  readonly replayed: boolean;
  /**
   * Whether it is also in what is counted over all users. `false`: the profile has it, but the counts could not be written; they
   * are of many users, and miss one.
   */
  readonly counted: boolean;
}

/** An event, as a caller gives it. */
export interface EventInput {
  readonly user: string;
  readonly item: unknown;
  readonly signal: string;
  readonly at?: Date | number | undefined;
  readonly idempotencyKey?: string | undefined;
}

/** What one user did, and where in the list it stood. */
interface Part {
  readonly user: string;
  readonly events: ProfileEvent[];
  readonly places: number[];
}

/** Writes what users did. The profile decides; what is counted follows it. */
export class Recordings {
  readonly #settings: RecommenderSettings;
  readonly #ids: ItemIds;
  readonly #records: RecommenderRecords;
  readonly #counts: StoredCounts;
  readonly #environment: Environment;

  constructor(
    settings: RecommenderSettings,
    ids: ItemIds,
    records: RecommenderRecords,
    counts: StoredCounts,
    environment: Environment,
  ) {
    this.#settings = settings;
    this.#ids = ids;
    this.#records = records;
    this.#counts = counts;
    this.#environment = environment;
  }

  async record(input: EventInput, options: BlockCallOptions): Promise<Recorded> {
    const event = this.eventOf(input);
    const [recorded] = await this.#recordAll(checkUser(input.user), [event], options);
    return recorded as Recorded; // One for each event.
  }

  /** Events of one user share a write. */
  async recordMany(inputs: readonly EventInput[], options: BulkOptions): Promise<ItemResult<Recorded>[]> {
    const results: ItemResult<Recorded>[] = new Array(inputs.length);
    const parts = new Map<string, Part>();
    for (const [at, input] of inputs.entries()) {
      const event = attempt(() => this.#part(parts, input, at));
      if (!event.ok) results[at] = event;
    }
    const { signal, onProgress } = options;
    let failed = results.filter((result) => result !== undefined).length;
    let done = failed;
    const all = [...parts.values()];
    const ended = await forEachItem(all, { ...options, onProgress: undefined }, async ({ user, events }) => {
      let isOk = false;
      try {
        const recorded = await this.#recordAll(user, events, { signal });
        isOk = true;
        return recorded;
      } finally {
        done += events.length;
        if (!isOk) failed += events.length;
        onProgress?.({ done, failed, total: inputs.length });
      }
    });
    for (const [i, { places }] of all.entries()) {
      const end = ended[i] as ItemResult<Recorded[]>; // One for each part.
      for (const [n, at] of places.entries()) {
        results[at] = end.ok ? { ok: true, value: end.value[n] as Recorded } : end;
      }
    }
    return results;
  }

  #part(parts: Map<string, Part>, input: EventInput, at: number): void {
    const user = checkUser(input.user);
    const event = this.eventOf(input);
    const part = parts.get(user) ?? { user, events: [], places: [] };
    part.events.push(event);
    part.places.push(at);
    parts.set(user, part);
  }

  /** Errors: `argument.invalid`, `recommend.unknownSignal`. */
  eventOf({ item, signal, at, idempotencyKey }: EventInput): ProfileEvent {
    const { name, signals, maxClockSkew } = this.#settings;
    const weight = signals.get(signal);
    if (weight === undefined) throw unknownSignal(name, [...signals.keys()]);
    const now = this.#environment.clock.now();
    return {
      item: this.#ids.nameOf(item),
      signal,
      weight,
      // A clock that runs ahead must not make everything else old.
      at: Math.min(checkTime(at ?? now), Math.floor(now + maxClockSkew)),
      key: idempotencyKey === undefined ? undefined : keyHash(checkKey(idempotencyKey)),
    };
  }

  async #recordAll(user: string, events: readonly ProfileEvent[], options: BlockCallOptions): Promise<Recorded[]> {
    const applied = await this.#apply(user, events, options);
    const effects = applied.flatMap((one) => (one.replayed ? [] : [one.effect]));
    const counted = await this.#count(effects, options);
    return applied.map(({ replayed }) => ({ replayed, counted: replayed || counted }));
  }

  async #apply(user: string, events: readonly ProfileEvent[], options: BlockCallOptions): Promise<readonly Applied[]> {
    let applied: Applied[] = [];
    const apply = (profile: Profile): void => {
      applied = events.map((event) => applyEvent(profile, event, this.#settings));
      if (applied.every(({ replayed }) => replayed)) throw new NothingToWrite();
    };
    try {
      const id = { name: this.#settings.name, user };
      await this.#records.profiles.mutate(id, apply, { ...options, ifAbsent: blankProfile });
    } catch (error) {
      if (!(error instanceof NothingToWrite)) throw error;
    }
    return applied;
  }

  /** What the profile has is recorded: a caller that was told otherwise would record it again. */
  async #count(effects: readonly Effect[], options: BlockCallOptions): Promise<boolean> {
    try {
      await this.#counts.add(effects, options);
      return true;
    } catch (error) {
      if (error instanceof NorimakiError) return false;
      throw error;
    }
  }
}

function attempt(call: () => void): ItemResult<void> {
  try {
    return { ok: true, value: call() };
  } catch (error) {
    if (error instanceof NorimakiError) return { ok: false, error };
    throw error;
  }
}

const MAX_TIME = 8.64e15;

/** Milliseconds since 1970, whole. Errors: `argument.invalid`. */
function checkTime(at: Date | number): number {
  const time = Math.floor(Number(at));
  if (time >= 0 && time <= MAX_TIME) return time;
  return refuse('at', 'at is when it happened: a Date, or milliseconds since 1970.');
}

/** The empty one is that of everybody who forgot to fill it in. */
function checkKey(key: string): string {
  if (typeof key === 'string' && key !== '' && key.isWellFormed()) return key;
  return refuse('idempotencyKey', 'idempotencyKey is a string of well-formed Unicode, not empty.');
}
