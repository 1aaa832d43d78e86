import type { Clock } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import { drainExceeded } from './errors.ts';
import type { Leadership } from './leadership.ts';
import type { Tenure } from './seat.ts';

/** What became of the work of one leadership. */
export type Served<T> =
  /** It ended by itself. */
  | { readonly kind: 'done'; readonly value: T }
  /** It was asked to end, and did. */
  | { readonly kind: 'ended'; readonly value: T | undefined };

interface Serving<T> {
  readonly work: () => Promise<T>;
  readonly clock: Clock;
  readonly renewEvery: number;
  /** Milliseconds. */
  readonly drain: number;
}

type Settled<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

/**
 * Runs the work of a leader, renewing meanwhile, and gives the leadership back once the work has ended: first the work, then
 * the successor. Errors: those of the work, `election.drainExceeded`.
 */
export async function serve<T>(
  leadership: Leadership<unknown>,
  tenure: Tenure,
  { work, clock, renewEvery, drain }: Serving<T>,
): Promise<Served<T>> {
  const done = new AbortController();
  void tenure.keep(renewEvery, { background: false, signal: done.signal });
  try {
    const { signal } = leadership;
    const settled: Promise<Settled<T>> = work().then(
      (value) => ({ ok: true, value }),
      (error: unknown) => ({ ok: false, error }),
    );
    const first = await Promise.race([settled, fired(signal, done.signal)]);
    const wasAsked = signal.aborted;
    const outcome = first ?? (await within(settled, clock, drain));
    if (outcome === undefined) throw drainExceeded(leadership.election, leadership.token, drain);
    const isLost = !outcome.ok && (await isOwnEnd(outcome.error, leadership, tenure));
    await giveBack(tenure, clock, drain);
    if (outcome.ok) return { kind: wasAsked ? 'ended' : 'done', value: outcome.value };
    if (isLost) return { kind: 'ended', value: undefined };
    throw outcome.error;
  } finally {
    done.abort();
  }
}

/** A store that does not answer is not waited for: what is not given back runs out by itself. */
async function giveBack(tenure: Tenure, clock: Clock, patience: number): Promise<void> {
  const stop = new AbortController();
  await within(
    tenure.release(stop.signal).catch(() => false),
    clock,
    patience,
  );
  stop.abort();
}

/** Resolves when the signal fires; never if `over` does before. */
function fired(signal: AbortSignal, over: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    const fire = (): void => resolve(undefined);
    if (signal.aborted) fire();
    else signal.addEventListener('abort', fire, { once: true, signal: over });
  });
}

async function within<T>(settled: Promise<T>, clock: Clock, ms: number): Promise<T | undefined> {
  const done = new AbortController();
  const timer = clock.sleep(ms, { signal: done.signal }).then(
    () => undefined,
    () => undefined,
  );
  try {
    return await Promise.race([settled, timer]);
  } finally {
    done.abort();
  }
}

/** Whether work failed because its leadership ended, and not for a reason of its own. */
async function isOwnEnd(error: unknown, { signal }: Leadership<unknown>, tenure: Tenure): Promise<boolean> {
  // Somebody newer has been there: the store knows.
  if (NorimakiError.is(error, 'fence.stale')) return !(await tenure.renew().catch(() => tenure.valid()));
  if (!signal.aborted) return false;
  const isAbort = error instanceof Error && error.name === 'AbortError';
  return (
    error === signal.reason || isAbort || NorimakiError.is(error, 'aborted') || NorimakiError.is(error, 'election.lost')
  );
}
