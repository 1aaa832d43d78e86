import { NorimakiError } from '../../core/errors.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { isSealed, successorOf } from './chain.ts';
import type { Draft } from './change.ts';
import type { SessionContext } from './context.ts';
import { find } from './find.ts';
import { forget } from './list.ts';
import type { SessionFields } from './session-record.ts';
import { isOfEpoch, type UserRecord } from './users.ts';

/** A session by what may be shown of it: see `id`. With `userId` only if it is that user's. */
export interface SessionRef {
  readonly id: string;
  readonly userId?: string | undefined;
}

/** Whether there was a session to end. */
export async function revokeSession(
  ctx: SessionContext,
  target: string | SessionRef,
  options: BlockCallOptions,
): Promise<boolean> {
  const { id, userId } = typeof target === 'string' ? { id: ctx.tokens.idOf(target), userId: undefined } : target;
  if (id === undefined) return false;
  const { wasLive, last } = await revokeChain(ctx, id, userId, options);
  if (last?.userId !== undefined) await forget(ctx, last.userId, [id, last.id], options);
  return wasLive;
}

interface Revoked {
  readonly wasLive: boolean;
  /** What the session had become under its newest id. */
  readonly last: SessionFields | undefined;
}

/**
 * Ends a session and all that it was rotated to. The tombstones stand as long as the session could have lived, so that nothing
 * that is still on its way brings it back.
 */
export async function revokeChain(
  ctx: SessionContext,
  start: string,
  owner: string | undefined,
  options: BlockCallOptions,
): Promise<Revoked> {
  let id = start;
  let absent: SessionFields | undefined;
  for (;;) {
    const { wasLive, session } = await bury(ctx, id, absent, owner, options);
    if (session === undefined || !isSealed(session)) return { wasLive, last: session };
    absent = successorOf(session);
    id = absent.id;
  }
}

/** Makes one record a tombstone, which `absent` becomes too if it is not there. */
async function bury(
  ctx: SessionContext,
  id: string,
  absent: SessionFields | undefined,
  owner: string | undefined,
  { signal, retry }: BlockCallOptions,
): Promise<{ readonly wasLive: boolean; readonly session: SessionFields | undefined }> {
  let wasLive = false;
  const apply = (draft: Draft): void => {
    if (owner !== undefined && draft.userId !== owner) throw new NotTheirs();
    const now = ctx.environment.clock.now();
    wasLive = draft.revokedAt === undefined && !isSealed(draft) && draft.expiresAt.getTime() > now;
    draft.revokedAt ??= new Date(now);
    draft.expiresAt = draft.absoluteAt;
  };
  try {
    const ifAbsent = absent && { ...absent };
    // The repository is that of a class of sessions.
    const session = await ctx.sessions.mutate(id, apply as (draft: object) => void, { ifAbsent, signal, retry });
    return { wasLive, session };
  } catch (error) {
    if (error instanceof NotTheirs || NorimakiError.is(error, 'not.found'))
      return { wasLive: false, session: undefined };
    if (!NorimakiError.is(error, 'record.newer') && !NorimakiError.is(error, 'record.corrupt')) throw error;
    return remove(ctx, id, error, { signal, retry });
  }
}

class NotTheirs extends Error {}

/** A record that this program may not rewrite, or cannot read, is ended by deleting it: logging out must not fail. */
async function remove(
  ctx: SessionContext,
  id: string,
  reason: NorimakiError,
  { signal, retry }: BlockCallOptions,
): Promise<{ readonly wasLive: boolean; readonly session: SessionFields | undefined }> {
  // What it was rotated to, if that can be read.
  const session = reason.code === 'record.newer' ? await readable(ctx, id, signal) : undefined;
  const wasLive = await ctx.sessions.delete(id, { signal, retry });
  return { wasLive, session };
}

async function readable(
  { sessions }: SessionContext,
  id: string,
  signal: AbortSignal | undefined,
): Promise<SessionFields | undefined> {
  try {
    return await sessions.get(id, { signal });
  } catch (error) {
    if (NorimakiError.is(error, 'record.corrupt')) return undefined;
    throw error;
  }
}

export interface RevokeAllOptions extends BlockCallOptions {
  /** The token of a session that goes on. One that stands for no session spares none. */
  readonly except?: string | undefined;
}

/** Begins another epoch of the user, by one compare-and-swap that also says which session is spared. */
export async function revokeAllSessions(
  ctx: SessionContext,
  userId: string,
  { except, ...options }: RevokeAllOptions,
): Promise<void> {
  const found = except === undefined ? 'expired' : await find(ctx, except, options);
  const kept = typeof found === 'string' ? undefined : found;
  if (kept !== undefined && kept.userId !== userId) {
    const message = 'The session that is to go on is not one of this user; nothing was revoked.';
    throw new NorimakiError('argument.invalid', message, { argument: 'except' });
  }
  const { users, settings, environment } = ctx;
  const epoch = users.freshEpoch();
  // A login that is under way lives no longer than this, and the record must outlive it.
  const until = environment.clock.now() + settings.absolute;
  const begin = (draft: Pick<UserRecord, 'epoch' | 'spared' | 'sessions'>): void => {
    // Somebody else may have revoked it since.
    const isKept = kept !== undefined && isOfEpoch(kept, draft);
    draft.spared = isKept ? { family: kept.family, epoch: kept.epoch } : undefined;
    draft.sessions = isKept ? [{ id: kept.id, at: kept.createdAt.getTime(), until: kept.absoluteAt.getTime() }] : [];
    draft.epoch = epoch;
  };
  await users.change(userId, until, begin, options);
}
