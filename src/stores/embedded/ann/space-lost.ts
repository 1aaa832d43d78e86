import { NorimakiError } from '../../../core/errors.ts';

/**
 * The worker thread died and the space went with it: a `store.unavailable` that the owner can tell from others.
 * Every further call on the space rejects with it; the owner asks the {@link AnnThread} for a new space and fills it.
 */
export class AnnSpaceLost extends NorimakiError<'store.unavailable'> {
  constructor(cause: unknown) {
    super(
      'store.unavailable',
      'The thread that searches vectors ended by itself; its spaces are lost. Make the space anew and fill it again.',
      { applied: 'no' },
      { cause },
    );
  }
}
