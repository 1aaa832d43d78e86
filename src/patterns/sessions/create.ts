import type { BlockCallOptions } from '../shared/options.ts';
import type { SessionContext } from './context.ts';
import { enrol } from './enrol.ts';
import { refused } from './errors.ts';
import type { SessionFields } from './session-record.ts';
import type { Minted } from './tokens.ts';
import { isOfEpoch } from './users.ts';

export interface SessionCreateOptions extends BlockCallOptions {
  /**
   * Repeating the call with the same key, in any process, makes one session and gives the same token, as long as the session
   * lives. The token follows from the key and the secret, so take a key that nobody can guess: a UUID for each login.
   */
  readonly idempotencyKey?: string | undefined;
}

export interface Created {
  readonly token: string;
  readonly session: SessionFields;
}

/** The fields of a user's own, and `userId`. */
export type Input = object & { readonly userId?: string | undefined };

export async function createSession(
  ctx: SessionContext,
  input: Input,
  { idempotencyKey, ...options }: SessionCreateOptions,
): Promise<Created> {
  const { userId } = input;
  if (idempotencyKey === undefined) return store(ctx, ctx.tokens.fresh(ctx.environment.random), input, options);
  const [current, ...previous] = ctx.tokens.derived('create', userId ?? null, idempotencyKey);
  // The first call may have been made under an earlier secret.
  const minted = previous.length === 0 ? current : ((await stored(ctx, previous, options)) ?? current);
  return store(ctx, minted, input, { ...options, idempotencyKey });
}

async function stored(
  ctx: SessionContext,
  candidates: readonly Minted[],
  { signal }: BlockCallOptions,
): Promise<Minted | undefined> {
  const ids = candidates.map(({ id }) => id);
  const found = await ctx.sessions.getMany(ids, { signal });
  return candidates.find((_, i) => found[i] !== undefined);
}

async function store(
  ctx: SessionContext,
  { token, id }: Minted,
  input: Input,
  { signal, retry, idempotencyKey }: SessionCreateOptions,
): Promise<Created> {
  const { settings, environment } = ctx;
  const { userId } = input;
  const now = environment.clock.now();
  const until = now + settings.absolute;
  // Listed before it is stored: what is not on the list does not live.
  const user = userId === undefined ? undefined : await enrol(ctx, userId, { id, at: now, until }, { signal, retry });
  const managed: SessionFields = {
    id,
    family: id,
    userId,
    createdAt: new Date(now),
    seenAt: new Date(now),
    authenticatedAt: userId === undefined ? undefined : new Date(now),
    expiresAt: new Date(now + settings.idle),
    absoluteAt: new Date(until),
    epoch: user?.epoch ?? '',
    revokedAt: undefined,
    next: undefined,
    flashes: undefined,
  };
  const session = await ctx.sessions.create({ ...input, ...managed }, { signal, retry, idempotencyKey });
  // A repeated call gets what became of the first one.
  if (session.revokedAt !== undefined) throw refused(settings.name, 'revoked');
  if (session.next !== undefined) throw refused(settings.name, 'rotated');
  if (user !== undefined && !isOfEpoch(session, user)) throw refused(settings.name, 'revoked');
  return { token, session };
}
