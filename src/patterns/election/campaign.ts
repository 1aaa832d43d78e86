import { throwIfAborted } from '../../core/abort.ts';
import type { Environment } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { Seat, Tenure } from './seat.ts';
import type { Times } from './settings.ts';

/** Failures that say nothing against the next try. */
export function isPassing(error: unknown): boolean {
  return error instanceof NorimakiError && (error.retryable || error.code === 'outcome.unknown');
}

/**
 * Tries until it leads. Looks as often as `pollEvery` says, and at the very instant at which the silence of the leader has
 * lasted long enough. Errors: `aborted`, and those of the store that waiting does not cure.
 */
export function campaign(
  seat: Seat,
  times: Times,
  environment: Environment,
  signal: AbortSignal | undefined,
): Promise<Tenure>;
/** The same, until there is no need to lead any more: then `undefined`. */
export function campaign(
  seat: Seat,
  times: Times,
  environment: Environment,
  signal: AbortSignal | undefined,
  isNeedless: () => Promise<boolean>,
): Promise<Tenure | undefined>;
export async function campaign(
  seat: Seat,
  { pollEvery }: Times,
  { clock, random }: Environment,
  signal: AbortSignal | undefined,
  isNeedless?: () => Promise<boolean>,
): Promise<Tenure | undefined> {
  for (;;) {
    throwIfAborted(signal);
    let wait = pollEvery * (0.5 + 0.5 * random.float());
    try {
      if (isNeedless !== undefined && (await isNeedless())) return undefined;
      const tenure = await seat.tryAcquire(signal);
      if (tenure !== undefined) return tenure;
      // Zero: somebody was faster.
      if (seat.patience > 0) wait = Math.min(wait, Math.ceil(seat.patience));
    } catch (error) {
      if (signal?.aborted || !isPassing(error)) throw error;
    }
    await clock.sleep(wait, { signal });
  }
}
