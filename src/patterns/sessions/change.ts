import { isDeepStrictEqual } from 'node:util';
import { NorimakiError } from '../../core/errors.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { isSealed, Moved, storeSuccessor } from './chain.ts';
import { extended, type SessionContext } from './context.ts';
import { refused } from './errors.ts';
import { type SessionFields, sessionFields } from './session-record.ts';
import type { SessionShape } from './types.ts';

export type Draft = SessionShape['draft'] & SessionFields;
type Change = (draft: Draft) => unknown;

/** Changes a session by one compare-and-swap, unless it was revoked or has expired by then. */
export async function changeSession(
  ctx: SessionContext,
  session: SessionFields,
  change: Change,
  options: BlockCallOptions,
): Promise<SessionFields> {
  let { id } = session;
  for (;;) {
    try {
      return await changeUnsealed(ctx, id, change, options);
    } catch (error) {
      if (!(error instanceof Moved)) throw error;
      const { sealed } = error;
      if (ctx.environment.clock.now() >= sealed.next.until.getTime()) throw refused(ctx.settings.name, 'rotated');
      ({ id } = await storeSuccessor(ctx, sealed, options));
    }
  }
}

/** The same, for a session that is not rotated meanwhile. Errors: `Moved` if it is. */
export async function changeUnsealed(
  ctx: SessionContext,
  id: string,
  change: Change,
  { signal, retry }: BlockCallOptions,
): Promise<SessionFields> {
  const apply = (draft: object): unknown => {
    // The repository is that of a class of sessions.
    const session = draft as Draft;
    if (session.revokedAt !== undefined) throw refused(ctx.settings.name, 'revoked');
    if (isSealed(session)) throw new Moved(session);
    const done = change(session);
    // An object that it returns is not a session, for which the repository would take it.
    return done instanceof Promise ? done.then(() => undefined) : undefined;
  };
  try {
    return await ctx.sessions.mutate(id, apply as () => undefined, { signal, retry });
  } catch (error) {
    throw NorimakiError.is(error, 'not.found') ? refused(ctx.settings.name, 'expired') : error;
  }
}

const MANAGED = Object.keys(sessionFields) as (keyof SessionFields)[];

/** A user's function, which may not change what `Sessions` sets. */
export function ownFieldsOnly(change: Change): Change {
  const managed = (draft: Draft): object =>
    structuredClone(Object.fromEntries(MANAGED.map((name) => [name, draft[name]])));
  return (draft) => {
    const before = managed(draft);
    const check = (): void => {
      if (isDeepStrictEqual(managed(draft), before)) return;
      throw new NorimakiError(
        'argument.invalid',
        `The function changed a field of the session that Sessions sets itself (${MANAGED.join(', ')}). Change fields of your own; for these there are touch, rotate, revoke and flash.`,
        { argument: 'fn' },
      );
    };
    const done = change(draft);
    if (done instanceof Promise) return done.then(check);
    check();
    return undefined;
  };
}

/** Notes that a session is in use, at most as often as `touchEvery` says unless `isForced`. */
export function touched(ctx: SessionContext, isForced: boolean): Change {
  return (draft) => {
    if (!isForced && !isDue(ctx, draft)) return;
    draft.expiresAt = extended(ctx, draft);
    const now = ctx.environment.clock.now();
    if (now > draft.seenAt.getTime()) draft.seenAt = new Date(now);
  };
}

export function isDue({ environment, settings }: SessionContext, { seenAt }: SessionFields): boolean {
  return environment.clock.now() - seenAt.getTime() >= settings.touchEvery;
}
