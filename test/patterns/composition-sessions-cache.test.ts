import { expect, test } from 'vitest';
import { open } from '../../src/index.ts';
import { Cache } from '../../src/patterns/index.ts';
import { idle } from '../../src/testing/idle.ts';
import { manualClock, seededRandom } from '../../src/testing/index.ts';
import { START } from '../support/open.ts';
import { type AppSession, type AppSessions, appSessions } from './support/sessions.ts';
import { openStore } from './support/stores.ts';

type Valid = Pick<AppSession, 'userId' | 'roles'> | undefined;

/** Two processes that keep what they validated, on one store. */
async function twoProcesses(coherence: 'ttl' | 'validate') {
  const clock = manualClock(START, { autoAdvance: true });
  const store = await openStore('memory', { clock, random: seededRandom(1) });
  const start = async (seed: number): Promise<{ sessions: AppSessions; cache: Cache<{ valid?: Valid }> }> => {
    const db = await open(store, { clock, random: seededRandom(seed) });
    const cache = new Cache<{ valid?: Valid }>(db, { name: 'valid', ttl: '1m', coherence, l1: { ttl: '5s' } });
    return { sessions: appSessions(db), cache };
  };
  const [one, other] = [await start(1), await start(2)];
  const validate = ({ sessions, cache }: typeof one, token: string, id: string): Promise<Valid> =>
    cache
      .get(id, async () => {
        const found = await sessions.validate(token);
        return { valid: found === undefined ? undefined : { userId: found.userId, roles: found.roles } };
      })
      .then((found) => found?.valid);
  return { clock, one, other, validate };
}

test.each(['ttl', 'validate'] as const)(
  'a session that was revoked and invalidated is served by nobody: at once in this process, elsewhere as coherence %s says',
  async (coherence) => {
    const { clock, one, other, validate } = await twoProcesses(coherence);
    const { token, session } = await one.sessions.create({ userId: 'mia' });
    for (const process of [one, other])
      expect(await validate(process, token, session.id)).toMatchObject({ userId: 'mia' });

    await one.sessions.revoke(token);
    // Nobody has told the cache: this is the lag.
    expect(await validate(one, token, session.id)).toMatchObject({ userId: 'mia' });
    await one.cache.invalidate(session.id);
    expect(await validate(one, token, session.id)).toBeUndefined();
    if (coherence === 'ttl') {
      expect(await validate(other, token, session.id)).toMatchObject({ userId: 'mia' });
      await clock.advance(5000);
    }
    expect(await validate(other, token, session.id)).toBeUndefined();
  },
);

test('a load that saw the session before it was revoked does not bring it back', async () => {
  const { one, other, validate } = await twoProcesses('validate');
  const { token, session } = await one.sessions.create({ userId: 'mia' });
  let go = (): void => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  const slow = other.cache.get(session.id, async () => {
    const found = await other.sessions.validate(token);
    await gate;
    return { valid: found && { userId: found.userId, roles: found.roles } };
  });
  for (let i = 0; i < 20; i++) await idle();
  await one.sessions.revoke(token);
  await one.cache.invalidate(session.id);
  go();
  await slow;
  for (const process of [one, other]) expect(await validate(process, token, session.id)).toBeUndefined();
});
