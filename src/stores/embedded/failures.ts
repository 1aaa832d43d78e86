import { type Applied, NorimakiError } from '../../core/errors.ts';
import { errorNumber } from './lmdb.ts';

const STORE = 'embedded';

export function closedError(): NorimakiError<'store.closed'> {
  return new NorimakiError('store.closed', 'The embedded store is closed.', { store: STORE });
}

export function incompatible(message: string, cause?: unknown): NorimakiError<'store.incompatible'> {
  return new NorimakiError('store.incompatible', message, { store: STORE }, { cause });
}

/** LMDB found no page where one must be, or gave the file up; it notices some damage, not all. */
export function unreadable(cause: unknown): NorimakiError<'store.incompatible'> {
  return incompatible('The data file of the embedded store is damaged: close the store and restore a backup.', cause);
}

export function badPath(message: string, cause?: unknown): NorimakiError<'argument.invalid'> {
  return new NorimakiError('argument.invalid', message, { argument: 'path' }, { cause });
}

export function unavailable(message: string, applied: Applied, cause?: unknown): NorimakiError<'store.unavailable'> {
  return new NorimakiError('store.unavailable', message, { applied }, { cause });
}

export function full(cause: unknown): NorimakiError<'store.full'> {
  return new NorimakiError(
    'store.full',
    'The disk of the embedded store is full; nothing was written. Free some space and write again.',
    { store: STORE },
    { cause },
  );
}

const ENOSPC = 28;
const EDQUOT = 122;
const MDB_MAP_FULL = -30792;

/** Whether this number of an error of LMDB's says that there is no space left. */
export function isFull(code: number | undefined): boolean {
  return code === ENOSPC || code === EDQUOT || code === MDB_MAP_FULL;
}

/** The code of an error of `node:fs`, such as `'ENOENT'`. */
export function fsCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || error instanceof NorimakiError || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** An error of the file system, as a caller of the store should see it; nothing of the data was changed. */
export function fileError(error: unknown, doing: string): NorimakiError {
  if (error instanceof NorimakiError) return error;
  const code = fsCode(error);
  if (code === 'ENOSPC' || code === 'EDQUOT' || isFull(errorNumber(error))) return full(error);
  return unavailable(`${doing} failed${code === undefined ? '' : ` with ${code}`}; nothing was changed.`, 'no', error);
}
