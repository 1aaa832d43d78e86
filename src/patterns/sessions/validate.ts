import { NorimakiError } from '../../core/errors.ts';
import type { Consistency } from '../../core/store.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { Moved } from './chain.ts';
import { changeUnsealed, isDue, touched } from './change.ts';
import type { SessionContext } from './context.ts';
import type { Refusal } from './errors.ts';
import { find } from './find.ts';
import type { SessionFields } from './session-record.ts';

export interface ValidateOptions extends BlockCallOptions {
  /** `'strong'` (default) sees every revocation that was acknowledged; any other may answer as the store was a while ago. */
  readonly read?: Consistency | undefined;
  /** Whether to note that the session is in use; default `true`. */
  readonly touch?: boolean | undefined;
}

/** The session of a token, noted as used if that is due, or why there is none. */
export async function validateToken(
  ctx: SessionContext,
  token: string,
  { read, touch = true, signal, retry }: ValidateOptions,
): Promise<SessionFields | Refusal> {
  const session = await find(ctx, token, { consistency: read, signal });
  if (typeof session === 'string' || !touch || !isDue(ctx, session)) return session;
  try {
    return await changeUnsealed(ctx, session.id, touched(ctx, false), { signal, retry });
  } catch (error) {
    if (NorimakiError.is(error, 'session.revoked')) return 'revoked';
    if (NorimakiError.is(error, 'session.expired')) return 'expired';
    // It holds, whether its use was noted or not: it may have been rotated since, or the store takes no writes just now.
    const isHarmless = error instanceof Moved || (error instanceof NorimakiError && error.code !== 'aborted');
    if (isHarmless) return session;
    throw error;
  }
}
