import type { BlockCallOptions } from '../shared/options.ts';
import type { SessionContext } from './context.ts';
import type { NextSession, SessionFields } from './session-record.ts';

/** A session that was rotated: nothing but its end changes in it any more. */
export type Sealed = SessionFields & { readonly next: NextSession };

/** What a sealed session lives on as. Follows from the sealed record alone, so that all who make it make the same. */
export function successorOf(sealed: Sealed): SessionFields {
  const { next, ...fields } = sealed;
  // The record's prototype gives the successor the methods of its class.
  return Object.assign(Object.create(Object.getPrototypeOf(sealed)), fields, {
    id: next.id,
    expiresAt: next.expiresAt,
    next: undefined,
  });
}

export function isSealed(session: SessionFields): session is Sealed {
  return session.next !== undefined;
}

/** What `mutate` and `touch` of a sealed session throw inside the repository, to go on at its successor. */
export class Moved extends Error {
  readonly sealed: Sealed;

  constructor(sealed: Sealed) {
    super('The session lives on under another id.');
    this.sealed = sealed;
  }
}

/** Stores what a sealed session lives on as, unless somebody has; resolves to what is there now. */
export function storeSuccessor(
  { sessions }: SessionContext,
  sealed: Sealed,
  { signal, retry }: BlockCallOptions,
): Promise<SessionFields> {
  const successor = successorOf(sealed);
  return sessions.mutate(successor.id, () => {}, { ifAbsent: { ...successor }, signal, retry });
}
