import type { Clock } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';

/** What `once` resolves to. */
export type OnceResult<T> =
  | { readonly ran: true; readonly value: T }
  /** Another one did it, this time or earlier. */
  | { readonly ran: false };

/** The instant of a `once`, in milliseconds since 1970. Errors: `argument.invalid`. */
export function instantOfTick(at: Date | number): number {
  const ms = typeof at === 'number' ? at : at.getTime();
  if (Number.isFinite(ms)) return ms;
  throw new NorimakiError(
    'argument.invalid',
    'once takes the instant that its work is for: a valid Date, or milliseconds.',
    {
      argument: 'at',
    },
  );
}

/** How often a look at the wall clock is taken, in milliseconds: a sleep does not notice that it was set, or that the machine slept. */
const LOOK = 60_000;

/** The instants that are multiples of `every` milliseconds since 1970, each as it comes; ends with the signal. */
export async function* ticks(
  every: number,
  clock: Clock,
  signal: AbortSignal | undefined,
): AsyncGenerator<number, void> {
  let last = Math.floor(clock.now() / every) * every;
  for (;;) {
    const now = clock.now();
    // Those that were slept through count once.
    const newest = Math.floor(now / every) * every;
    if (newest > last) {
      last = newest;
      yield newest;
      continue;
    }
    try {
      await clock.sleep(Math.min(last + every - now, LOOK), { signal });
    } catch (error) {
      if (signal?.aborted) return;
      throw error;
    }
  }
}
