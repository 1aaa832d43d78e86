import { setMaxListeners } from 'node:events';
import { type Applied, NorimakiError } from './errors.ts';

/** The error of a call that its caller gave up. */
export function abortedError(signal: AbortSignal, applied: Applied = 'no'): NorimakiError<'aborted'> {
  const message =
    applied === 'no'
      ? 'The call was aborted by its signal; nothing was written.'
      : 'The call was aborted by its signal while a write was under way; it may have been applied.';
  return new NorimakiError('aborted', message, { applied }, { cause: signal.reason });
}

/** Throws `aborted` if the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortedError(signal);
}

/** `work`, or `aborted` as soon as the signal fires. The work itself goes on unless it listens too. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(abortedError(signal));
    if (signal.aborted) {
      // The work's own failure has no other listener left.
      work.catch(() => {});
      onAbort();
      return;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** A signal that many calls at once may listen to, which Node would take for a leak. */
export function sharedSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  const shared = AbortSignal.any([signal]);
  setMaxListeners(0, shared);
  return shared;
}
