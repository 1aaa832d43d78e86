import { type Duration, milliseconds } from '../../core/duration.ts';
import { type BlockOptions, checkName, refuse } from '../shared/options.ts';
import type { CacheBus } from './bus.ts';
import { MAX_LIFE } from './records.ts';

/** The tier in the memory of this process. */
export interface L1Options {
  /** Entries at most; default 10,000. */
  readonly max?: number | undefined;
  /** Bytes of JSON at most; default 64 MiB. */
  readonly maxBytes?: number | undefined;
  /** How long a value may be served without asking the store; default 5 s. */
  readonly ttl?: Duration | undefined;
}

/** How long callers wait for a loader. */
export interface CacheTimeouts {
  /** With a stale value at hand: how long to wait for a new one first. Default 0: not at all. */
  readonly soft?: Duration | undefined;
  /** How long a loader may take; default 30 s. */
  readonly hard?: Duration | undefined;
}

/** What a cache is told when it is made. */
export interface CacheOptions extends BlockOptions {
  /** How long a value is fresh; default 5 minutes. With `stale` at most 30 days. */
  readonly ttl?: Duration | undefined;
  /** How long after that it is still served while a new one is loaded, or if that fails; default 0. */
  readonly stale?: Duration | undefined;
  /** Shortens each ttl by a random part of it, up to this share (0 to 1), so that what was stored together does not expire together; default 0. */
  readonly jitter?: number | undefined;
  /** How eagerly values are loaded anew before they expire, in proportion to how long that takes; 0: never. Default 1. */
  readonly early?: number | undefined;
  /** `false`: every call asks the store. */
  readonly l1?: L1Options | false | undefined;
  /**
   * What keeps the memory of this process in step with the others:
   * - `'ttl'` (default): nothing; a value may be out of date for at most `l1.ttl`.
   * - `'validate'`: each call asks the store whether the value is the current one.
   * - a bus: as `'ttl'`, but others hear of changes as fast as the bus is.
   */
  readonly coherence?: 'ttl' | 'validate' | CacheBus | undefined;
  readonly timeout?: CacheTimeouts | undefined;
  /**
   * Whether one process at a time loads a key, of all that share the store: `'store'` (default), or each may once:
   * `'process'`, which saves a few calls to the store where loaders are cheap.
   */
  readonly singleFlight?: 'store' | 'process' | undefined;
  /**
   * What callers are handed: `'frozen'` (default), one deep-frozen object for all, or `'copied'`, a copy for each. What
   * cannot be frozen (dates, maps, sets, typed arrays) is copied in any case.
   */
  readonly values?: 'frozen' | 'copied' | undefined;
}

/** The options, checked; times in milliseconds. */
export interface CacheSettings {
  readonly name: string;
  readonly ttl: number;
  readonly stale: number;
  readonly jitter: number;
  readonly early: number;
  readonly l1: { readonly max: number; readonly maxBytes: number; readonly ttl: number } | undefined;
  readonly validates: boolean;
  readonly bus: CacheBus | undefined;
  readonly soft: number;
  readonly hard: number;
  readonly isStoreWide: boolean;
  readonly isFrozen: boolean;
}

export function settingsOf(options: CacheOptions): CacheSettings {
  const { jitter = 0, early = 1, l1 = {}, coherence = 'ttl', timeout = {} } = options;
  const { singleFlight = 'store', values = 'frozen' } = options;
  const ttl = milliseconds(options.ttl ?? '5m', 'ttl');
  const stale = milliseconds(options.stale ?? 0, 'stale');
  if (ttl === 0) refuse('ttl', 'The ttl of a cache is longer than nothing.');
  if (ttl + stale > MAX_LIFE) refuse('ttl', 'ttl and stale of a cache are at most 30 days together.');
  if (!(jitter >= 0 && jitter <= 1)) refuse('jitter', 'jitter is a share of the ttl, from 0 to 1.');
  if (!(early >= 0 && early < Number.POSITIVE_INFINITY)) refuse('early', 'early is a number from 0: 1 is usual.');
  const isBus = typeof coherence === 'object' && coherence !== null;
  if (!isBus && coherence !== 'ttl' && coherence !== 'validate') {
    refuse('coherence', "coherence is 'ttl', 'validate' or a bus with publish and subscribe.");
  }
  if (singleFlight !== 'store' && singleFlight !== 'process') {
    refuse('singleFlight', "singleFlight is 'store' or 'process'.");
  }
  if (values !== 'frozen' && values !== 'copied') refuse('values', "values is 'frozen' or 'copied'.");
  const hard = milliseconds(timeout.hard ?? '30s', 'timeout.hard');
  if (hard === 0 || hard > MAX_LIFE) refuse('timeout.hard', 'A loader is given more than nothing and at most 30 days.');
  return {
    name: checkName('Cache', options.name),
    ttl,
    stale,
    jitter,
    early,
    l1: l1 === false ? undefined : l1Of(l1),
    validates: coherence === 'validate',
    bus: isBus ? coherence : undefined,
    soft: milliseconds(timeout.soft ?? 0, 'timeout.soft'),
    hard,
    isStoreWide: singleFlight === 'store',
    isFrozen: values === 'frozen',
  };
}

function l1Of({ max = 10_000, maxBytes = 64 * 2 ** 20, ttl = '5s' }: L1Options): CacheSettings['l1'] {
  for (const [argument, value] of [
    ['l1.max', max],
    ['l1.maxBytes', maxBytes],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < 1) refuse(argument, `${argument} is a whole number from 1.`);
  }
  return { max, maxBytes, ttl: milliseconds(ttl, 'l1.ttl') };
}

const MAX_KEY_BYTES = 512;

/** A key or a tag, as it may stand in the key of a record. Errors: `argument.invalid`. */
export function checkKey(what: 'key' | 'tag', value: unknown): void {
  const isFit =
    typeof value === 'string' &&
    value !== '' &&
    value.isWellFormed() &&
    // UTF-8 takes at most three bytes for each UTF-16 unit: most keys need no exact count.
    (value.length * 3 <= MAX_KEY_BYTES || Buffer.byteLength(value) <= MAX_KEY_BYTES);
  if (isFit) return;
  refuse(
    what,
    `A ${what} of a cache is a string of well-formed Unicode, not empty, of at most ${MAX_KEY_BYTES} bytes. Use a hash of what is longer.`,
  );
}

const MAX_TAGS = 64;

/** Errors: `argument.invalid`. */
export function checkTags(tags: readonly string[]): readonly string[] {
  if (!Array.isArray(tags) || tags.length > MAX_TAGS) refuse('tags', `tags are a list of at most ${MAX_TAGS} strings.`);
  for (const tag of tags) checkKey('tag', tag);
  return tags;
}
