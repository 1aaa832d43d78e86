// What session libraries get wrong, as their own issues tell it; here it must come out right.
import { beforeEach, describe, expect, test } from 'vitest';
import { encodeTuple } from '../../src/core/keys/index.ts';
import type { Store } from '../../src/core/store.ts';
import { manualClock, seededRandom } from '../../src/testing/index.ts';
import { START } from '../support/open.ts';
import { type AppSessions, collect, startSessions } from './support/sessions.ts';
import { openStore, STORE_KINDS } from './support/stores.ts';

const MINUTE = 60_000;

describe.each(STORE_KINDS)('better-auth #11073, on the %s store', (kind) => {
  const clock = manualClock(START, { autoAdvance: true });
  let store: Store;
  let sessions: AppSessions;
  let seed = 1;

  const start = (script?: Parameters<typeof startSessions>[1]['script']) =>
    startSessions(store, { clock, seed: seed++, script, touchEvery: '1m' });

  beforeEach(async () => {
    store = await openStore(kind, { clock, random: seededRandom(1) });
    ({ sessions } = await start());
  });

  /** Fails where a session can still be used. */
  const areDead = async (tokens: readonly string[]): Promise<void> => {
    for (const token of tokens) expect(await sessions.validate(token)).toBeUndefined();
  };

  test('concurrent-login: all logins are listed, and revoking the others leaves none of them', async () => {
    const processes = [await start(), await start(), await start()];
    const [first, ...others] = await Promise.all(processes.map((one) => one.sessions.create({ userId: 'mia' })));
    const ids = [first!, ...others].map(({ session }) => session.id);
    expect((await collect(sessions.list('mia'))).map(({ id }) => id).sort()).toEqual(ids.sort());
    await sessions.revokeAll('mia', { except: first!.token });
    await areDead(others.map(({ token }) => token));
    expect(await sessions.validate(first!.token)).toBeDefined();
  });

  test('missing-index: a list that was lost hides no session from revocation', async () => {
    const made = [await sessions.create({ userId: 'mia' }), await sessions.create({ userId: 'mia' })];
    const [kept, other] = made as [(typeof made)[0], (typeof made)[0]];
    await store.delete(encodeTuple(['norimaki', null, 0n, 'norimaki.session.user', 'r', 'web', 'mia']));
    // Here it even revokes: without the record of the user nobody can say that a session was not.
    await areDead(made.map(({ token }) => token));
    await sessions.revokeAll('mia', { except: kept.token });
    await areDead([other.token]);
    await sessions.revokeAll('mia');
    const later = await sessions.create({ userId: 'mia' });
    await areDead(made.map(({ token }) => token));
    expect(await sessions.validate(later.token)).toBeDefined();
  });

  test('refresh-after-revoke: a refresh that is under way does not bring a revoked session back', async () => {
    for (const revoke of [(token: string) => sessions.revoke(token), () => sessions.revokeAll('mia')]) {
      const { token } = await sessions.create({ userId: 'mia' });
      await clock.advance(MINUTE);
      let isRevoked = false;
      const refreshing = await start(async ({ verb }) => {
        // After it was read, and before the refresh is written.
        if (verb === 'put' && !isRevoked) {
          isRevoked = true;
          await revoke(token);
        }
        return 'none' as const;
      });
      await refreshing.sessions.validate(token);
      expect(isRevoked).toBe(true);
      await areDead([token]);
      await expect(refreshing.sessions.touch(token)).rejects.toMatchObject({ code: 'session.revoked' });
    }
  });

  test('login-after-revoke-all: a login that was under way is listed, or is no login', async () => {
    // Revoked at each of the calls of the store that a login takes.
    for (let at = 1; at <= 4; at++) {
      let calls = 0;
      const racing = await start(async () => {
        if (++calls === at) await sessions.revokeAll('mia');
        return 'none' as const;
      });
      const { token, session } = await racing.sessions.create({ userId: 'mia' });
      const isAlive = (await sessions.validate(token)) !== undefined;
      const isListed = (await collect(sessions.list('mia'))).some(({ id }) => id === session.id);
      expect(isListed, `revoked at call ${at}`).toBe(isAlive);
      await sessions.revokeAll('mia');
      await areDead([token]);
    }
  });
});

test('express-session #361: concurrent requests that change distinct fields of one session lose nothing', async () => {
  const clock = manualClock(START, { autoAdvance: true });
  const store = await openStore('memory', { clock, random: seededRandom(1) });
  const processes = await Promise.all([1, 2, 3].map((seed) => startSessions(store, { clock, seed })));
  const { sessions } = processes[0]!;
  const { token } = await sessions.create({ userId: 'mia' });
  await Promise.all(
    Array.from({ length: 60 }, (_, i) =>
      processes[i % 3]!.sessions.mutate(token, (session) => void Object.assign(session.cart, { [`item ${i}`]: i })),
    ),
  );
  expect(Object.keys((await sessions.validate(token))?.cart ?? {})).toHaveLength(60);
});
