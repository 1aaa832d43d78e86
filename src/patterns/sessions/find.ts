import type { Consistency } from '../../core/store.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { isSealed, storeSuccessor } from './chain.ts';
import type { SessionContext } from './context.ts';
import { type Refusal, refused } from './errors.ts';
import type { SessionFields } from './session-record.ts';
import { isOfEpoch } from './users.ts';

export interface FindOptions extends Pick<BlockCallOptions, 'signal'> {
  readonly consistency?: Consistency | undefined;
}

/** The session of a token, by one read of it and one of its user. While a rotated one has grace it is followed. */
export async function find(ctx: SessionContext, token: string, options: FindOptions): Promise<SessionFields | Refusal> {
  const id = ctx.tokens.idOf(token);
  if (id === undefined) return 'badToken';
  return follow(ctx, await ctx.sessions.get(id, options), options);
}

/** The same, as an error where there is none. */
export async function findOrThrow(ctx: SessionContext, token: string, options: FindOptions): Promise<SessionFields> {
  const found = await find(ctx, token, options);
  if (typeof found === 'string') throw refused(ctx.settings.name, found);
  return found;
}

/** Whether a record stands for a session, and which: the end of the chain of those it was rotated to. */
export async function follow(
  ctx: SessionContext,
  record: SessionFields | undefined,
  options: FindOptions,
): Promise<SessionFields | Refusal> {
  const now = ctx.environment.clock.now();
  let session = record;
  while (session !== undefined && session.revokedAt === undefined && isSealed(session)) {
    if (now >= session.next.until.getTime()) return 'rotated';
    const stored: SessionFields | undefined = await ctx.sessions.get(session.next.id, options);
    session = stored ?? (await storeSuccessor(ctx, session, options));
  }
  if (session === undefined || session.expiresAt.getTime() <= now) return 'expired';
  if (session.revokedAt !== undefined) return 'revoked';
  const { userId } = session;
  if (userId === undefined || isOfEpoch(session, await ctx.users.get(userId, options))) return session;
  return 'revoked';
}
