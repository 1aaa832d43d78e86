import { throwIfAborted } from '../abort.ts';
import type { Environment } from '../clock.ts';
import { NorimakiError } from '../errors.ts';
import type { RetryBudget } from './budget.ts';
import { fullJitter, OUTAGE_POLICY, type RetryPolicy } from './policy.ts';

/** Failures that say nothing against the call itself. */
export function isOutage(error: unknown): error is NorimakiError<'store.unavailable' | 'deadline.exceeded'> {
  return NorimakiError.is(error, 'store.unavailable') || NorimakiError.is(error, 'deadline.exceeded');
}

/** Waits out one failure of the store's. `false`: the budget, the tries or the time are used up. */
export async function waitOutOutage(
  error: NorimakiError,
  attempt: number,
  started: number,
  { clock, random }: Environment,
  budget: RetryBudget,
  options: { signal?: AbortSignal | undefined; policy?: RetryPolicy | undefined } = {},
): Promise<boolean> {
  const { signal, policy = OUTAGE_POLICY } = options;
  if (attempt >= policy.maxAttempts) return false;
  const wait = fullJitter(attempt, policy, random);
  if (clock.mono() - started + wait > policy.deadline) return false;
  if (!budget.take(error.code === 'deadline.exceeded' ? 'timeout' : 'other')) return false;
  await clock.sleep(wait, { signal });
  return true;
}

/** Calls until it answers: for calls that are safe to repeat, such as reads. Rejects with the last failure. */
export async function untilAnswered<T>(
  call: () => Promise<T>,
  environment: Environment,
  budget: RetryBudget,
  signal?: AbortSignal,
): Promise<T> {
  // Taken at the first failure, because nearly every call has none.
  let started: number | undefined;
  for (let attempt = 1; ; attempt++) {
    throwIfAborted(signal);
    try {
      const answer = await call();
      budget.succeeded();
      return answer;
    } catch (error) {
      if (!isOutage(error)) throw error;
      started ??= environment.clock.mono();
      if (!(await waitOutOutage(error, attempt, started, environment, budget, { signal }))) throw error;
    }
  }
}
