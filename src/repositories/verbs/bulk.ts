import { abortedError } from '../../core/abort.ts';
import { NorimakiError } from '../../core/errors.ts';
import { forEachAtOnce } from '../each.ts';

export interface Progress {
  /** Items that are settled, the failed ones included. */
  readonly done: number;
  readonly failed: number;
  readonly total: number;
}

export interface BulkOptions {
  /** Items under way at once; default 64. */
  readonly concurrency?: number | undefined;
  /** Items that were not begun fail with `aborted`. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each item. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** What became of one item; a failure does not stop the others. */
export type ItemResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: NorimakiError };

/**
 * Runs one call for each item, a bounded number at once, and reports on every one, in order. An error that is not of
 * norimaki is a mistake of the program, in a schema or in `onProgress`: then nothing more is begun, and it is thrown once
 * what is under way has ended.
 */
export async function forEachItem<I, T>(
  items: readonly I[],
  { concurrency = 64, signal, onProgress }: BulkOptions,
  call: (item: I) => Promise<T>,
): Promise<ItemResult<T>[]> {
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
    throw new NorimakiError('argument.invalid', 'concurrency is a whole number from 1.', { argument: 'concurrency' });
  }
  const results: ItemResult<T>[] = new Array(items.length);
  let done = 0;
  let failed = 0;
  await forEachAtOnce(items, concurrency, async (item, at) => {
    try {
      if (signal?.aborted) throw abortedError(signal);
      results[at] = { ok: true, value: await call(item) };
    } catch (error) {
      if (!(error instanceof NorimakiError)) throw error;
      results[at] = { ok: false, error };
      failed++;
    }
    done++;
    onProgress?.({ done, failed, total: items.length });
  });
  return results;
}
