import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Store } from '../../core/store.ts';
import { defineEntity } from '../../decorators/index.ts';
import type { RepositoryOf } from '../../repositories/index.ts';

const record = z.object({
  name: z.string(),
  /** Of the session id, which with the secret of express-session is as good as a password. */
  hash: z.string(),
  /** As JSON, in which express-session thinks: what other stores cannot hold is not to be relied on with this one. */
  data: z.string(),
  cookie: z.string(),
  /** Of a session that was destroyed: it stays so, whatever is still under way. */
  destroyedAt: z.date().optional(),
  expiresAt: z.date(),
});

export const ExpressSession = defineEntity('norimaki.express-session', record, {
  id: ['name', 'hash'],
  deadline: 'expiresAt',
});

export type ExpressSessionRecord = z.output<typeof record>;
export type ExpressSessionRepository = RepositoryOf<typeof ExpressSession, Store>;

export function hashOf(sid: string): string {
  return createHash('sha256').update(sid).digest('base64url');
}
