import type { Environment } from '../../core/clock.ts';
import type { Repository } from '../../repositories/index.ts';
import type { SessionFields } from './session-record.ts';
import type { SessionSettings } from './settings.ts';
import type { Tokens } from './tokens.ts';
import type { SessionShape } from './types.ts';
import type { Users } from './users.ts';

/** What every verb works with. */
export interface SessionContext {
  readonly settings: SessionSettings;
  readonly sessions: Repository<SessionShape>;
  readonly users: Users;
  readonly tokens: Tokens;
  readonly environment: Environment;
}

/** When a session that is used now ends, if it is not used again. Never earlier than before: clocks differ. */
export function extended({ settings, environment }: SessionContext, session: SessionFields): Date {
  const idleAt = environment.clock.now() + settings.idle;
  return new Date(Math.max(session.expiresAt.getTime(), Math.min(idleAt, session.absoluteAt.getTime())));
}
