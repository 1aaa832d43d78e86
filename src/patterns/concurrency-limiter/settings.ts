import { type Duration, milliseconds } from '../../core/duration.ts';
import { type BlockOptions, checkName, refuse } from '../shared/options.ts';

/** What a concurrency limiter is told when it is made. */
export interface ConcurrencyLimiterOptions extends BlockOptions {
  /** How many may be at work at once for each key; 1 to 1,000. */
  readonly max: number;
  /**
   * After so long the slot of a holder that crashed is free again; default `'30s'`, at least `'1s'`. While a holder lives
   * it is renewed three times as often.
   */
  readonly ttl?: Duration | undefined;
  /** How often at most a waiting process looks whether another has released a slot; default `'200ms'`. */
  readonly poll?: Duration | undefined;
}

/** The options, checked. */
export interface ConcurrencySettings {
  readonly name: string;
  readonly max: number;
  readonly ttl: number;
  readonly poll: number;
}

const MAX_SLOTS = 1000;

export function concurrencySettings({
  name,
  max,
  ttl = '30s',
  poll = '200ms',
}: ConcurrencyLimiterOptions): ConcurrencySettings {
  if (!Number.isSafeInteger(max) || max < 1 || max > MAX_SLOTS) {
    refuse('max', `max is a whole number from 1 to ${MAX_SLOTS}.`);
  }
  const settings = {
    name: checkName('ConcurrencyLimiter', name),
    max,
    ttl: Math.floor(milliseconds(ttl, 'ttl')),
    poll: milliseconds(poll, 'poll'),
  };
  if (settings.ttl < 1000) refuse('ttl', "ttl is at least '1s': it has to outlast a renewal.");
  if (settings.poll < 1) refuse('poll', 'poll is at least a millisecond.');
  return settings;
}
