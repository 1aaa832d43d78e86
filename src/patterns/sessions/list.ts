import { NorimakiError } from '../../core/errors.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { isSealed, successorOf } from './chain.ts';
import type { SessionContext } from './context.ts';
import type { SessionFields } from './session-record.ts';
import { type Entry, isOfEpoch, type UserRecord } from './users.ts';

/** A session that is listed and not stored may still be on its way for so long. */
const PENDING_MS = 60_000;

/** A listed session, and the session itself if it is alive. */
interface Looked {
  readonly entry: Entry;
  readonly session: SessionFields | undefined;
  /** Whether it takes a place of `maxPerUser`. */
  readonly counts: boolean;
}

export async function unlist(
  { users }: SessionContext,
  userId: string,
  ids: readonly string[],
  options: BlockCallOptions,
): Promise<void> {
  await users.change(
    userId,
    0,
    (draft) => {
      draft.sessions = draft.sessions.filter(({ id }) => !ids.includes(id));
    },
    options,
  );
}

/** The list is a convenience: whoever reads it follows the former id, leaves out what has ended. So a failure is none. */
async function conveniently(change: () => Promise<unknown>): Promise<void> {
  try {
    await change();
  } catch (error) {
    if (!(error instanceof NorimakiError)) throw error;
  }
}

/** Takes sessions off the list that have ended. */
export function forget(
  ctx: SessionContext,
  userId: string,
  ids: readonly string[],
  options: BlockCallOptions,
): Promise<void> {
  return conveniently(() => unlist(ctx, userId, ids, options));
}

/** Lists a session under the id that it was rotated to. */
export function relist(
  { users }: SessionContext,
  userId: string,
  former: string,
  { id, absoluteAt }: SessionFields,
  options: BlockCallOptions,
): Promise<void> {
  const until = absoluteAt.getTime();
  return conveniently(() =>
    users.change(
      userId,
      until,
      (draft) => {
        const entry = draft.sessions.find((listed) => listed.id === former);
        if (entry !== undefined) entry.id = id;
      },
      options,
    ),
  );
}

/** What became of each session on the list. */
export async function lookAt(ctx: SessionContext, record: UserRecord, { signal }: BlockCallOptions): Promise<Looked[]> {
  const now = ctx.environment.clock.now();
  const ids = record.sessions.map(({ id }) => id);
  const stored = await ctx.sessions.getMany(ids, { signal });
  return Promise.all(
    record.sessions.map(async (entry, i): Promise<Looked> => {
      let session = stored[i];
      if (session === undefined) return { entry, session, counts: now - entry.at < PENDING_MS && entry.until > now };
      while (isSealed(session)) session = (await ctx.sessions.get(session.next.id, { signal })) ?? successorOf(session);
      const isAlive =
        session.revokedAt === undefined && session.expiresAt.getTime() > now && isOfEpoch(session, record);
      return { entry, session: isAlive ? session : undefined, counts: isAlive };
    }),
  );
}

/** The sessions of a user that hold, in order of login. */
export async function* listSessions(
  ctx: SessionContext,
  userId: string,
  options: BlockCallOptions,
): AsyncGenerator<SessionFields, void, undefined> {
  const record = await ctx.users.get(userId, options);
  if (record === undefined) return;
  const listed = new Set<string>();
  for (const { session } of await lookAt(ctx, record, options)) {
    // A rotation that crashed leaves the former id on the list, beside the new one perhaps.
    if (session === undefined || listed.has(session.id)) continue;
    listed.add(session.id);
    yield session;
  }
}
