import { NorimakiError } from '../../core/errors.ts';

/** The codes of a cache, and what they carry in `details`. */
export interface CacheErrorDetails {
  /** The loader's own error is the `cause`. */
  'cache.loaderFailed': { cache: string };
  /** `waited`: how long the loader was given, in milliseconds. */
  'cache.loaderTimeout': { cache: string; waited: number };
  /** In bytes, both. */
  'cache.tooLarge': { cache: string; bytes: number; limit: number };
}

// Reaches users because the index of the room exports the interface above: otherwise this file would be in no declaration.
declare module '../../core/errors.ts' {
  interface ErrorDetails extends CacheErrorDetails {}
}

export function loaderFailed(cache: string, cause: unknown): NorimakiError<'cache.loaderFailed'> {
  return new NorimakiError(
    'cache.loaderFailed',
    `The loader of the cache '${cache}' failed, and there is no stale value to serve: see the cause.`,
    { cache },
    { cause },
  );
}

export function loaderTimeout(cache: string, waited: number): NorimakiError<'cache.loaderTimeout'> {
  return new NorimakiError(
    'cache.loaderTimeout',
    `The loader of the cache '${cache}' took longer than ${waited} ms. Make it listen to its signal, or allow more with timeout: { hard }.`,
    { cache, waited },
  );
}

export function tooLarge(cache: string, bytes: number, limit: number): NorimakiError<'cache.tooLarge'> {
  return new NorimakiError(
    'cache.tooLarge',
    `The value for the cache '${cache}' takes ${bytes} bytes as a record; the limit of the store is ${limit}. It was not stored: split it, or cache less of it.`,
    { cache, bytes, limit },
  );
}
