import { sharedSignal } from '../../core/abort.ts';
import { NorimakiError } from '../../core/errors.ts';
import { nextTurn } from '../../core/turn.ts';
import { type Absent, absent, type Loader } from './loader.ts';

/** What a loader of many keys is handed. */
export interface LoadManyContext {
  /** Fires when nobody waits any more, or the time is up. */
  readonly signal: AbortSignal;
  /** See `LoadContext.absent`. */
  readonly absent: typeof absent;
}

/** Makes the values of several keys: one for each, in order. `undefined` is not remembered. */
export type LoadMany<T> = (
  keys: readonly string[],
  context: LoadManyContext,
) => readonly (T | Absent | undefined)[] | Promise<readonly (T | Absent | undefined)[]>;

interface Wanted<T> {
  readonly key: string;
  readonly signal: AbortSignal;
  readonly resolve: (value: T | Absent | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** A loader of one key that makes one call of a loader of many of all that are asked for at once. */
export function together<T>(cache: string, loadMany: LoadMany<T>): Loader<T> {
  let waiting: Wanted<T>[] = [];
  const load = async (): Promise<void> => {
    // Until all of one answer of the store have come this far.
    await nextTurn();
    const wanted = waiting;
    waiting = [];
    try {
      const keys = wanted.map(({ key }) => key);
      const values = await loadMany(keys, { signal: signalOfAll(wanted), absent });
      if (!Array.isArray(values) || values.length !== keys.length) {
        throw new NorimakiError(
          'argument.invalid',
          `The loader of the cache '${cache}' was asked for ${keys.length} keys: it returns a list with a value for each, in order, undefined where there is none.`,
          { argument: 'loadMany' },
        );
      }
      for (const [i, { resolve }] of wanted.entries()) resolve(values[i]);
    } catch (error) {
      for (const { reject } of wanted) reject(error);
    }
  };
  return ({ key, signal }) =>
    new Promise((resolve, reject) => {
      waiting.push({ key, signal, resolve, reject });
      if (waiting.length === 1) void load();
    });
}

/** Fires once all have. */
function signalOfAll(wanted: readonly { readonly signal: AbortSignal }[]): AbortSignal {
  const stop = new AbortController();
  let left = wanted.length;
  for (const { signal } of wanted) {
    const fired = (): void => {
      left -= 1;
      if (left === 0) stop.abort(signal.reason);
    };
    if (signal.aborted) fired();
    else signal.addEventListener('abort', fired, { once: true });
  }
  return sharedSignal(stop.signal) ?? stop.signal;
}
