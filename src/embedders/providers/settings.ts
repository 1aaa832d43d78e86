import type { Environment } from '../../core/clock.ts';
import { type Duration, milliseconds } from '../../core/duration.ts';
import { type RetryOptions, type RetryPolicy, retryPolicy } from '../../core/retry/index.ts';
import { systemEnvironment } from '../../core/system.ts';
import { positiveInteger } from '../options.ts';
import type { BatchLimits } from './split.ts';

/** How a provider is called. */
export interface ProviderOptions {
  /** The most that one call carries. Default 256 texts and 250,000 characters. */
  readonly batch?: { readonly texts?: number | undefined; readonly characters?: number | undefined } | undefined;
  /** Calls at the same time. Default 4. */
  readonly concurrency?: number | undefined;
  /** How long one call may take. Default `'60s'`. */
  readonly timeout?: Duration | undefined;
  /**
   * How long a batch tries: `deadline` bounds its time in all, default `'2m'`; `maxAttempts` its failures, default 6. That
   * a provider asks to wait is no failure.
   */
  readonly retry?: RetryOptions | undefined;
  /** Where time and chance come from. Default: the machine's. */
  readonly environment?: Environment | undefined;
}

/** {@link ProviderOptions} with everything decided. */
export interface ProviderSettings {
  readonly limits: BatchLimits;
  readonly concurrency: number;
  readonly timeout: number;
  readonly retry: RetryPolicy;
  readonly environment: Environment;
}

const TEXTS = 256;
/** With four characters to a token, a fifth of what the large providers take in one call; enough for one to a token. */
const CHARACTERS = 250_000;
const RETRY: RetryPolicy = { maxAttempts: 6, deadline: 120_000, base: 500, cap: 20_000 };

/** Errors: `argument.invalid`. */
export function providerSettings(options: ProviderOptions): ProviderSettings {
  const { batch = {}, concurrency = 4, timeout = 60_000, retry, environment = systemEnvironment } = options;
  return {
    limits: {
      texts: positiveInteger('batch.texts', batch.texts ?? TEXTS),
      characters: positiveInteger('batch.characters', batch.characters ?? CHARACTERS),
    },
    concurrency: positiveInteger('concurrency', concurrency),
    timeout: milliseconds(timeout, 'timeout'),
    retry: retryPolicy(retry, RETRY),
    environment,
  };
}
