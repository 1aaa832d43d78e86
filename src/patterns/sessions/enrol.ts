import type { BlockCallOptions } from '../shared/options.ts';
import { Patience } from '../shared/patience.ts';
import type { SessionContext } from './context.ts';
import { tooMany } from './errors.ts';
import { lookAt, unlist } from './list.ts';
import { revokeChain } from './revoke.ts';
import type { Entry, UserRecord } from './users.ts';

/** Puts a session on the list of its user. Errors: `session.tooMany`. */
export async function enrol(
  ctx: SessionContext,
  userId: string,
  entry: Entry,
  options: BlockCallOptions,
): Promise<UserRecord> {
  const { settings, environment, users } = ctx;
  let patience: Patience | undefined;
  for (;;) {
    let isFull = false;
    const record = await users.change(
      userId,
      entry.until,
      (draft) => {
        const now = environment.clock.now();
        draft.sessions = draft.sessions.filter(({ id, until }) => id !== entry.id && until > now);
        isFull = draft.sessions.length >= settings.maxPerUser;
        if (!isFull) draft.sessions.push(entry);
      },
      options,
    );
    if (!isFull) return record;
    await patience?.next();
    patience ??= new Patience(`The list of sessions of a user of '${settings.name}'`, environment, options);
    await makeRoom(ctx, userId, record, options);
  }
}

/** Takes the sessions that have ended off the list; if there are none, does what `whenFull` says. */
async function makeRoom(
  ctx: SessionContext,
  userId: string,
  record: UserRecord,
  options: BlockCallOptions,
): Promise<void> {
  const { maxPerUser, name, whenFull } = ctx.settings;
  const looked = await lookAt(ctx, record, options);
  const gone = looked.filter(({ counts }) => !counts).map(({ entry }) => entry.id);
  if (gone.length === 0) {
    if (whenFull === 'refuse') throw tooMany(name, maxPerUser);
    const oldest = looked.reduce((first, other) => (other.entry.at < first.entry.at ? other : first));
    await revokeChain(ctx, oldest.entry.id, userId, options);
    gone.push(oldest.entry.id);
  }
  await unlist(ctx, userId, gone, options);
}
