import { createHash } from 'node:crypto';
import { type Duration, milliseconds } from '../../core/duration.ts';
import { NorimakiError } from '../../core/errors.ts';
import { randomId } from '../../core/random-id.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { isSealed, Moved, type Sealed, storeSuccessor } from './chain.ts';
import { changeUnsealed, type Draft, ownFieldsOnly } from './change.ts';
import type { SessionContext } from './context.ts';
import type { Created } from './create.ts';
import { enrol } from './enrol.ts';
import { refused } from './errors.ts';
import { follow } from './find.ts';
import { relist } from './list.ts';
import type { SessionFields } from './session-record.ts';
import type { Minted } from './tokens.ts';

export interface RotateSettings extends BlockCallOptions {
  /**
   * How long the former token still leads to the session, for requests that are under way; default: not at all. At most half of
   * `ttl.idle`. Not with `userId`: whoever knew the token before the login would be logged in with it.
   */
  readonly grace?: Duration | undefined;
  /** Logs a user in who was nobody so far. */
  readonly userId?: string | undefined;
  /** The user has just proved again who it is: the session is fresh. Needless with `userId`. */
  readonly reauthenticated?: boolean | undefined;
  /** Repeating the call with the same key gives the same token, after the grace too. */
  readonly idempotencyKey?: string | undefined;
}

interface Plan extends RotateSettings {
  readonly graceMs: number;
  readonly change: (draft: Draft) => unknown;
}

/**
 * Rotation is decided by one compare-and-swap of the former record, which seals it and names what comes next. The next record
 * follows from it; whoever meets a sealed record without one can store it. The next token follows from the former one, the secret and
 * chance that the sealed record holds: two requests that rotate at once get the same.
 */
export async function rotateSession(
  ctx: SessionContext,
  token: string,
  options: RotateSettings,
  change: (draft: Draft) => unknown,
): Promise<Created> {
  const plan = { ...options, graceMs: graceOf(ctx, options), change: ownFieldsOnly(change) };
  const { signal } = options;
  const id = ctx.tokens.idOf(token);
  if (id === undefined) throw refused(ctx.settings.name, 'badToken');
  const former = await ctx.sessions.get(id, { signal });
  if (former !== undefined && isSealed(former)) return repeated(ctx, token, former, plan);
  const found = await follow(ctx, former, { signal });
  if (typeof found === 'string') throw refused(ctx.settings.name, found);
  try {
    return await rotate(ctx, token, found, plan);
  } catch (error) {
    // Another request was faster.
    if (error instanceof Moved) return repeated(ctx, token, error.sealed, plan);
    throw error;
  }
}

async function rotate(ctx: SessionContext, token: string, session: SessionFields, plan: Plan): Promise<Created> {
  const { signal, retry, graceMs, userId, reauthenticated, idempotencyKey, change } = plan;
  const { clock, random } = ctx.environment;
  if (userId !== undefined && session.userId !== undefined && session.userId !== userId) {
    const message = 'The session is that of another user, whose data it holds. Create a new one for this user.';
    throw new NorimakiError('argument.invalid', message, { argument: 'userId' });
  }
  const nonce = idempotencyKey === undefined ? randomId(random, 16) : nonceOf(idempotencyKey);
  const [next] = successors(ctx, token, nonce);
  const now = clock.now();
  const until = session.absoluteAt.getTime();
  const isLogin = userId !== undefined && session.userId === undefined;
  const user = isLogin ? await enrol(ctx, userId, { id: next.id, at: now, until }, { signal, retry }) : undefined;
  const seal = async (draft: Draft): Promise<void> => {
    await change(draft);
    if (user !== undefined) {
      draft.userId = user.userId;
      draft.epoch = user.epoch;
    }
    if (userId !== undefined || reauthenticated === true) draft.authenticatedAt = new Date(now);
    const expiresAt = new Date(Math.min(now + ctx.settings.idle, until));
    draft.next = { id: next.id, nonce, until: new Date(now + graceMs), expiresAt };
    draft.seenAt = new Date(now);
    draft.expiresAt = draft.absoluteAt;
  };
  const sealed = await changeUnsealed(ctx, session.id, seal, { signal, retry });
  // As `seal` has left it.
  const successor = live(ctx, await storeSuccessor(ctx, sealed as Sealed, { signal, retry }));
  if (session.userId !== undefined) await relist(ctx, session.userId, session.id, successor, { signal, retry });
  return { token: next.token, session: successor };
}

/** What an earlier rotation of the same token made. */
async function repeated(ctx: SessionContext, token: string, sealed: Sealed, plan: Plan): Promise<Created> {
  const { name } = ctx.settings;
  if (sealed.revokedAt !== undefined) throw refused(name, 'revoked');
  const { next } = sealed;
  const hasGrace = ctx.environment.clock.now() < next.until.getTime();
  const isRepeat = plan.idempotencyKey !== undefined && nonceOf(plan.idempotencyKey) === next.nonce;
  const minted = successors(ctx, token, next.nonce).find(({ id }) => id === next.id);
  if (minted === undefined || (!hasGrace && !isRepeat)) throw refused(name, 'rotated');
  const session = await follow(ctx, live(ctx, await storeSuccessor(ctx, sealed, plan)), plan);
  if (typeof session === 'string') throw refused(name, session);
  return { token: minted.token, session };
}

/** The next session, unless it was ended or rotated again before it was handed out. */
function live(ctx: SessionContext, session: SessionFields): SessionFields {
  if (session.revokedAt !== undefined) throw refused(ctx.settings.name, 'revoked');
  if (isSealed(session)) throw refused(ctx.settings.name, 'rotated');
  return session;
}

function successors({ tokens }: SessionContext, token: string, nonce: string): readonly [Minted, ...Minted[]] {
  return tokens.derived('rotate', token, nonce);
}

function nonceOf(idempotencyKey: string): string {
  return createHash('sha256').update(idempotencyKey).digest('base64url');
}

function graceOf({ settings }: SessionContext, { grace = 0, userId }: RotateSettings): number {
  const ms = milliseconds(grace, 'grace');
  const problem =
    userId !== undefined && ms > 0
      ? 'A login has no grace: whoever knew the token before it would be logged in.'
      : ms > settings.idle / 2
        ? 'grace is at most half of ttl.idle.'
        : undefined;
  if (problem === undefined) return ms;
  throw new NorimakiError('argument.invalid', problem, { argument: 'grace' });
}
