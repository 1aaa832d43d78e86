import { type Duration, milliseconds } from '../../core/duration.ts';
import { type BlockOptions, checkName, checkWhole, refuse } from '../shared/options.ts';
import type { Strategy } from './types.ts';

/** What `Recommender` is told when it is made. */
export interface RecommenderOptions<Signal extends string, Embedding extends string = string> extends BlockOptions {
  /** Which embedding items are compared by; needed only where the entity has several. */
  readonly embedding?: Embedding | undefined;
  /** What each signal says of an item: above 0 that it is liked, below 0 that it is not, 0 only that it was seen. */
  readonly signals: Readonly<Record<Signal, number>>;
  /** After so long a signal counts half; default `'30d'`. */
  readonly halfLife?: Duration | undefined;
  /** Into how many interests a taste is divided at most, 1 to 20; default 5. */
  readonly interests?: number | undefined;
  /** Items whose weights a profile keeps, the heaviest, 8 to 1,000; default 128. */
  readonly history?: number | undefined;
  /** Items beyond those that a profile still knows to be seen, 0 to 20,000; default 10,000. */
  readonly seen?: number | undefined;
  /** An event from later than now and this is taken as from then; default `'5m'`. */
  readonly maxClockSkew?: Duration | undefined;
  /** What leads to recommendations unless a call says otherwise; default `'interests'`. */
  readonly strategy?: Strategy | undefined;
  /** What fills up a list that came out too short; default `['coVisit', 'popular']`. */
  readonly fallback?: readonly Strategy[] | undefined;
  /** How items of one user are counted together; `false`: not at all, which saves writes. */
  readonly coVisit?: CoVisitOptions | false | undefined;
  /** How the popular is counted; `false`: not at all, which saves a write. */
  readonly popular?: PopularOptions | false | undefined;
}

export interface CoVisitOptions {
  /** With how many items that the user liked last a newly liked one is counted, 1 to 20; default 3. Each costs a write. */
  readonly window?: number | undefined;
  /** Counts that each item keeps, 8 to 1,000; default 64. */
  readonly top?: number | undefined;
}

export interface PopularOptions {
  /** Records that share the counts, 1 to 64; default 4. More where very many processes record at once. */
  readonly shards?: number | undefined;
  /** Counts that each of them keeps, 8 to 1,000; default 128. */
  readonly top?: number | undefined;
}

/** The options, checked; times in milliseconds. */
export interface RecommenderSettings {
  readonly name: string;
  readonly embedding: string | undefined;
  readonly signals: ReadonlyMap<string, number>;
  readonly halfLife: number;
  readonly interests: number;
  readonly history: number;
  readonly seen: number;
  readonly maxClockSkew: number;
  readonly strategy: Strategy;
  readonly fallback: readonly Strategy[];
  readonly coVisit: { readonly window: number; readonly top: number } | undefined;
  readonly popular: { readonly shards: number; readonly top: number } | undefined;
}

const STRATEGIES: readonly Strategy[] = ['interests', 'average', 'bestScore', 'coVisit', 'popular', 'blended'];

export function settingsOf(options: RecommenderOptions<string>): RecommenderSettings {
  const { coVisit = {}, popular = {} } = options;
  const counts = { coVisit: coVisit !== false, popular: popular !== false };
  const halfLife = milliseconds(options.halfLife ?? '30d', 'halfLife');
  if (halfLife === 0) refuse('halfLife', 'halfLife is longer than nothing: after it a signal counts half.');
  return {
    name: checkName('Recommender', options.name),
    embedding: options.embedding,
    signals: checkSignals(options.signals),
    halfLife,
    interests: checkWhole(options.interests ?? 5, 'interests', 1, 20),
    history: checkWhole(options.history ?? 128, 'history', 8, 1000),
    seen: checkWhole(options.seen ?? 10_000, 'seen', 0, 20_000),
    maxClockSkew: milliseconds(options.maxClockSkew ?? '5m', 'maxClockSkew'),
    strategy: checkStrategy(options.strategy ?? 'interests', 'strategy', counts),
    fallback: fallbackOf(options.fallback, counts),
    coVisit:
      coVisit === false
        ? undefined
        : {
            window: checkWhole(coVisit.window ?? 3, 'window', 1, 20),
            top: checkWhole(coVisit.top ?? 64, 'top', 8, 1000),
          },
    popular:
      popular === false
        ? undefined
        : {
            shards: checkWhole(popular.shards ?? 4, 'shards', 1, 64),
            top: checkWhole(popular.top ?? 128, 'top', 8, 1000),
          },
  };
}

/** Which of what is counted a strategy can rest on. */
export interface Counts {
  readonly coVisit: boolean;
  readonly popular: boolean;
}

/** Errors: `argument.invalid`. */
export function checkStrategy(strategy: Strategy, argument: string, counts: Counts): Strategy {
  if (!STRATEGIES.includes(strategy)) {
    return refuse(argument, `${argument} is one of ${STRATEGIES.join(', ')}, or a list of them.`);
  }
  if ((strategy === 'coVisit' || strategy === 'popular') && !counts[strategy]) {
    return refuse(
      argument,
      `This recommender does not count for '${strategy}', as it was made with ${strategy}: false.`,
    );
  }
  return strategy;
}

/** Errors: `argument.invalid`. */
export function checkStrategies(
  strategies: readonly Strategy[],
  argument: string,
  counts: Counts,
): readonly Strategy[] {
  if (!Array.isArray(strategies)) return refuse(argument, `${argument} is a list of strategies.`);
  return strategies.map((strategy) => checkStrategy(strategy, argument, counts));
}

function fallbackOf(given: readonly Strategy[] | undefined, counts: Counts): readonly Strategy[] {
  if (given !== undefined) return checkStrategies(given, 'fallback', counts);
  return (['coVisit', 'popular'] as const).filter((strategy) => counts[strategy]);
}

function checkSignals(signals: Readonly<Record<string, number>> | undefined): ReadonlyMap<string, number> {
  const entries = Object.entries(signals ?? {});
  const isFit = entries.every(([name, weight]) => name !== '' && name.isWellFormed() && Number.isFinite(weight));
  if (isFit && entries.length > 0) return new Map(entries);
  return refuse('signals', 'signals gives a number to each signal: { view: 1, buy: 8, dislike: -6 }.');
}

/** A share of a whole. Errors: `argument.invalid`. */
export function checkShare(value: number, argument: string): number {
  if (value >= 0 && value <= 1) return value;
  return refuse(argument, `${argument} is a number from 0 to 1.`);
}

const MAX_USER_BYTES = 512;

/** Errors: `argument.invalid`. */
export function checkUser(user: string): string {
  const isFit =
    typeof user === 'string' && user !== '' && user.isWellFormed() && Buffer.byteLength(user) <= MAX_USER_BYTES;
  if (isFit) return user;
  return refuse('user', `A user is a string of well-formed Unicode, not empty, of at most ${MAX_USER_BYTES} bytes.`);
}
