import { setTimeout as realSleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { encodeTuple } from '../../src/core/keys/index.ts';
import { defineEntity, Entity, Field, open } from '../../src/index.ts';
import { SessionRecord, Sessions, type SessionsOptions, sessionFields } from '../../src/patterns/index.ts';
import { limitCapabilities, seededRandom } from '../../src/testing/index.ts';
import { openMemory } from '../support/open.ts';
import { AppSession, appSessions, collect, SECRET, startSessions } from './support/sessions.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const code = (reason: string) => ({ code: `session.${reason}` });
const refusal = (argument: string) => ({ code: 'argument.invalid', details: { argument } });

async function world(options: Partial<SessionsOptions> = {}) {
  const { db, clock, store } = await openMemory();
  let seed = 100;
  return {
    db,
    clock,
    store,
    sessions: appSessions(db, options),
    /** Another process on the same store. */
    start: (script?: Parameters<typeof startSessions>[1]['script'], more: Partial<SessionsOptions> = {}) =>
      startSessions(store, { ...options, ...more, clock, seed: seed++, script }),
  };
}

describe('a session', () => {
  test('is made, found by its token, and an object of the class with all that it was given', async () => {
    const { sessions, clock } = await world();
    const { token, session } = await sessions.create({ userId: 'mia', roles: ['admin'], device: 'phone' });
    expect(session).toBeInstanceOf(AppSession);
    const found = await sessions.validate(token);
    expect(found).toEqual(session);
    expect(found).toMatchObject({ userId: 'mia', roles: ['admin'], cart: {}, device: 'phone' });
    expect(found?.expiresAt.getTime()).toBe(Math.floor(clock.now() + 30 * MINUTE));
    expect(found?.absoluteAt.getTime()).toBe(clock.now() + 12 * HOUR);
  });

  test('of nobody who has logged in holds data too', async () => {
    const { sessions } = await world();
    const { token } = await sessions.create({ cart: { nori: 1 } });
    await sessions.mutate(token, (session) => {
      session.cart.rice = 2;
    });
    expect(await sessions.validate(token)).toMatchObject({ userId: undefined, cart: { nori: 1, rice: 2 } });
  });

  test('may be defined without a class', async () => {
    const { db } = await world();
    const Plain = defineEntity('plain', z.object({ ...sessionFields, theme: z.string() }), {
      id: 'id',
      deadline: 'expiresAt',
    });
    const sessions = new Sessions(db, Plain, { name: 'web', secrets: [SECRET] });
    const { token, session } = await sessions.create({ userId: 'mia', theme: 'dark' });
    await sessions.mutate(token, (draft) => {
      draft.theme = 'light';
    });
    expect((await sessions.validate(token))?.theme).toBe('light');
    expect(sessions.isFresh(session, '5m')).toBe(true);
    await sessions.revokeAll('mia');
    expect(await sessions.validate(token)).toBeUndefined();
  });

  test('that an older program stored reads with the new shape, by upcasts', async () => {
    const { store, clock } = await openMemory();
    const program = async () => open(store, { clock, random: seededRandom(5) });
    @Entity('evolving')
    class Before extends SessionRecord {
      @Field(z.string()) role!: string;
    }
    @Entity('evolving', { schema: 2, upcast: { 1: ({ role, ...rest }) => ({ ...rest, roles: [role] }) } })
    class After extends SessionRecord {
      @Field(z.array(z.string())) roles!: string[];
    }
    const options = { name: 'web', secrets: [SECRET] };
    const older = new Sessions(await program(), Before, options);
    const newer = new Sessions(await program(), After, options);
    const { token } = await older.create({ userId: 'mia', role: 'admin' });
    expect((await newer.validate(token))?.roles).toEqual(['admin']);

    await newer.mutate(token, (session) => {
      session.roles.push('cook');
    });
    await expect(older.mutate(token, () => {})).rejects.toThrow();
    // What it can neither read nor rewrite it can still end.
    expect(await older.revoke(token)).toBe(true);
    expect(await newer.validate(token)).toBeUndefined();
  });

  test('of another name, tenant or secret is not found, and costs no read of the store', async () => {
    const { db, sessions, store, clock } = await world();
    const { token } = await sessions.create({ userId: 'mia' });
    let calls = 0;
    const counting = await startSessions(store, {
      clock,
      seed: 1,
      name: 'admin',
      script: () => {
        calls++;
        return 'none' as const;
      },
    });
    expect(await counting.sessions.validate(token)).toBeUndefined();
    expect(calls).toBe(0);
    const others = [
      appSessions(db.forTenant('acme')),
      appSessions(db, { secrets: ['another secret of thirty-two bytes and more'] }),
    ];
    for (const other of others) {
      expect(await other.validate(token)).toBeUndefined();
      await expect(other.mutate(token, () => {})).rejects.toMatchObject(code('badToken'));
      expect(await other.revoke(token)).toBe(false);
    }
    expect(await sessions.validate(token)).toBeDefined();
  });

  test.each([['', undefined, null, 7, {}, 'x', 'a'.repeat(5000)]])(
    'stands behind no token that was never issued',
    async (...tokens) => {
      const { sessions } = await world();
      const { token } = await sessions.create({ userId: 'mia' });
      const last = token.at(-1) === 'A' ? 'B' : 'A';
      const forged = [...tokens, token.slice(0, -1) + last, last + token.slice(1), `${token}A`, token.replace('.', '')];
      for (const wrong of forged) {
        expect(await sessions.validate(wrong as string)).toBeUndefined();
        await expect(sessions.validateOrThrow(wrong as string)).rejects.toMatchObject(code('badToken'));
      }
    },
  );

  test('keeps its dates, and lets nobody change what Sessions sets', async () => {
    const { sessions } = await world();
    const { token, session } = await sessions.create({ userId: 'mia' });
    const changes: ((draft: AppSession) => unknown)[] = [
      (draft) => draft.expiresAt.setFullYear(3000),
      (draft) => (draft.absoluteAt = new Date(9e12)),
      (draft) => (draft.userId = 'tom'),
      (draft) => delete draft.authenticatedAt,
      async (draft) => (draft.epoch = 'x'),
    ];
    for (const change of changes) {
      await expect(sessions.mutate(token, change as () => void)).rejects.toMatchObject(refusal('fn'));
    }
    expect(await sessions.validate(token)).toEqual(session);
    // An object that is returned is not taken for a session.
    await sessions.mutate(token, () => ({ roles: ['admin'] }));
    expect(await sessions.validate(token)).toEqual(session);
  });

  test('that an error is thrown about stays as it was', async () => {
    const { sessions } = await world();
    const { token } = await sessions.create({ userId: 'mia' });
    const stop = new Error('stop');
    const change = (draft: AppSession) => {
      draft.roles.push('admin');
      throw stop;
    };
    await expect(sessions.mutate(token, change as () => never)).rejects.toBe(stop);
    await expect(sessions.mutate(token, (draft) => void draft.roles.push(7 as never))).rejects.toMatchObject({
      code: 'validation.failed',
    });
    expect((await sessions.validate(token))?.roles).toEqual([]);
  });

  test('can be changed by what validate returned, by two calls of the store', async () => {
    const { start } = await world();
    const verbs: string[] = [];
    const { sessions } = await start(({ verb }) => {
      verbs.push(verb);
      return 'none' as const;
    });
    const { session, token } = await sessions.create({ userId: 'mia' });
    verbs.length = 0;
    await sessions.mutate(session, (draft) => void draft.roles.push('cook'));
    expect(verbs.length).toBeLessThanOrEqual(2);
    expect((await sessions.validate(token))?.roles).toEqual(['cook']);
    await sessions.revoke(token);
    await expect(sessions.mutate(session, () => {})).rejects.toMatchObject(code('revoked'));
  });
});

describe('the life of a session', () => {
  test('ends without use, and goes on with it until the absolute end', async () => {
    const { sessions, clock } = await world({ ttl: { idle: '30m', absolute: '2h' }, touchEvery: '1m' });
    const idle = (await sessions.create({ userId: 'mia' })).token;
    const used = (await sessions.create({ userId: 'mia' })).token;
    for (let minute = 20; minute < 120; minute += 20) {
      await clock.advance(20 * MINUTE);
      expect(await sessions.validate(used)).toBeDefined();
    }
    expect(await sessions.validate(idle)).toBeUndefined();
    await expect(sessions.mutate(idle, () => {})).rejects.toMatchObject(code('expired'));
    await clock.advance(20 * MINUTE - 1);
    expect((await sessions.validate(used))?.expiresAt).toEqual((await sessions.validate(used))?.absoluteAt);
    await clock.advance(1);
    expect(await sessions.validate(used)).toBeUndefined();
    await expect(sessions.touch(used)).rejects.toMatchObject(code('expired'));
  });

  test('costs two reads to check, and at most one write every touchEvery, however many check it', async () => {
    const { start, clock } = await world({ touchEvery: '1m' });
    const calls: string[] = [];
    const script = ({ verb }: { verb: string }) => {
      calls.push(verb);
      return 'none' as const;
    };
    const [one, two] = [await start(script), await start(script)];
    const { token } = await one.sessions.create({ userId: 'mia' });
    calls.length = 0;
    await one.sessions.validate(token);
    expect(calls).toEqual(['get', 'get']);
    calls.length = 0;
    await clock.advance(MINUTE - 1);
    await Promise.all(Array.from({ length: 50 }, () => two.sessions.validate(token)));
    expect(calls.filter((verb) => verb !== 'get')).toEqual([]);

    await clock.advance(1);
    await Promise.all(Array.from({ length: 50 }, (_, i) => (i % 2 ? one : two).sessions.validate(token)));
    expect(calls.filter((verb) => verb === 'put').length).toBeLessThanOrEqual(2);
    calls.length = 0;
    const session = await one.sessions.validate(token);
    expect(session?.seenAt.getTime()).toBe(Math.floor(clock.now()));
    expect(session?.expiresAt.getTime()).toBe(Math.floor(clock.now() + 30 * MINUTE));
    expect(calls).toEqual(['get', 'get']);

    await clock.advance(MINUTE);
    calls.length = 0;
    await one.sessions.validate(token, { touch: false });
    expect(calls).toEqual(['get', 'get']);
  });

  test('is neither shortened nor extended by changes of its data', async () => {
    const { sessions, clock } = await world();
    const { token, session } = await sessions.create({ userId: 'mia' });
    await clock.advance(10 * MINUTE);
    const changed = await sessions.mutate(token, (draft) => void draft.roles.push('cook'));
    expect(changed.expiresAt).toEqual(session.expiresAt);
    expect(changed.seenAt).toEqual(session.seenAt);
  });

  test('is not shortened by a clock that is behind, and a store that takes no writes ends nothing', async () => {
    let isDown = false;
    const { start, clock } = await world();
    const { sessions } = await start(({ verb }) => (isDown && verb === 'put' ? 'errorBefore' : 'none'));
    const { token, session } = await sessions.create({ userId: 'mia' });
    clock.set(clock.now() - 20 * MINUTE);
    expect((await sessions.touch(token)).expiresAt).toEqual(session.expiresAt);
    await clock.advance(30 * MINUTE);
    isDown = true;
    expect(await sessions.validate(token)).toEqual(session);
    isDown = false;
    expect((await sessions.validate(token))?.expiresAt.getTime()).toBe(Math.floor(clock.now() + 30 * MINUTE));
  });

  test('an eventual read may lag behind a revocation, and a touch by it finds the tombstone', async () => {
    const { start, sessions, clock } = await world({ touchEvery: '1m' });
    const stale = await start(({ verb }) => (verb === 'get' ? 'staleRead' : 'none'));
    const { token } = await sessions.create({ userId: 'mia' });
    expect(await stale.sessions.validate(token)).toBeDefined();
    await stale.sessions.revoke(token);
    expect(await stale.sessions.validate(token, { read: 'eventual' })).toBeDefined();
    expect(await stale.sessions.validate(token)).toBeUndefined();
    await clock.advance(MINUTE);
    expect(await stale.sessions.validate(token, { read: 'eventual' })).toBeUndefined();
  });

  test('is fresh for a while after the user proved who it is', async () => {
    const { sessions, clock } = await world();
    const nobody = await sessions.create({});
    expect(nobody.session.fresh('5m')).toBe(false);
    const { token, session } = await sessions.create({ userId: 'mia' });
    expect(session.fresh('5m')).toBe(true);
    await clock.advance(5 * MINUTE);
    expect(session.fresh('5m')).toBe(false);
    expect((await sessions.validate(token))?.fresh('6m')).toBe(true);
    const again = await sessions.rotate(token, { reauthenticated: true });
    expect(again.session.fresh('5m')).toBe(true);
    await clock.advance(MINUTE);
    const rotated = await sessions.rotate(again.token);
    expect(rotated.session.fresh('1m')).toBe(false);
    expect(() => new AppSession().fresh('5m')).toThrow(expect.objectContaining(refusal('session')));
  });
});

describe('a token', () => {
  test('is nowhere in the bytes of the store, nor in an error', async () => {
    const { sessions, store } = await world();
    const { token } = await sessions.create({ userId: 'mia' }, { idempotencyKey: 'login-4711' });
    const rotated = await sessions.rotate(token, { grace: '1m' });
    await sessions.flash(rotated.token, 'info', 'Saved.');
    const anonymous = await sessions.create({});
    const loggedIn = await sessions.rotate(anonymous.token, { userId: 'tom' });
    await sessions.revoke(rotated.token);
    const issued = [token, rotated.token, anonymous.token, loggedIn.token];
    const parts = issued.flatMap((whole) => whole.split('.'));
    const { entries } = await store.scan({ start: Uint8Array.of(0), end: Uint8Array.of(255) }, { limit: 1000 });
    expect(entries.length).toBeGreaterThan(5);
    const bytes = entries.flatMap(({ key, value }) => [Buffer.from(key), Buffer.from(value)]);
    for (const part of [...parts, ...parts.map((text) => Buffer.from(text, 'base64url')), SECRET]) {
      expect(bytes.some((text) => text.includes(part))).toBe(false);
    }
    for (const dead of [token, rotated.token, anonymous.token]) {
      const error: unknown = await sessions.mutate(dead, () => {}).catch((thrown: unknown) => thrown);
      const text = JSON.stringify([error, (error as Error).message, (error as Error).stack]);
      for (const part of dead.split('.')) expect(text).not.toContain(part);
    }
  });

  test('holds while its secret is known, current or not, and no longer', async () => {
    const { db, sessions } = await world();
    const NEXT = 'the next secret, also thirty-two bytes';
    const old = await sessions.create({ userId: 'mia' });
    const both = appSessions(db, { secrets: [NEXT, SECRET] });
    expect(await both.validate(old.token)).toBeDefined();
    const fresh = await both.create({ userId: 'mia' });
    expect(await sessions.validate(fresh.token)).toBeUndefined();
    const after = appSessions(db, { secrets: [NEXT] });
    expect(await after.validate(fresh.token)).toBeDefined();
    expect(await after.validate(old.token)).toBeUndefined();
    // A rotation takes a session over to the current secret.
    const { token } = await both.rotate(old.token);
    expect(await after.validate(token)).toMatchObject({ userId: 'mia' });
  });

  test('is the same for a repeated create with a key, in any process, under the next secret too', async () => {
    const { sessions, start, db } = await world();
    const { sessions: other } = await start();
    const key = { idempotencyKey: 'login-4711' };
    const first = await sessions.create({ userId: 'mia', roles: ['cook'] }, key);
    const [again, elsewhere] = await Promise.all([
      sessions.create({ userId: 'mia', roles: ['cook'] }, key),
      other.create({ userId: 'mia', roles: ['cook'] }, key),
    ]);
    expect([again.token, elsewhere.token]).toEqual([first.token, first.token]);
    const next = appSessions(db, { secrets: ['the next secret, also thirty-two bytes', SECRET] });
    expect((await next.create({ userId: 'mia', roles: ['cook'] }, key)).token).toBe(first.token);
    expect(await collect(sessions.list('mia'))).toHaveLength(1);
    expect((await sessions.create({ userId: 'tom' }, key)).token).not.toBe(first.token);
    expect((await sessions.create({ userId: 'mia' })).token).not.toBe(first.token);

    await sessions.revoke(first.token);
    await expect(sessions.create({ userId: 'mia' }, key)).rejects.toMatchObject(code('revoked'));
    expect(await sessions.validate(first.token)).toBeUndefined();
  });

  test('comes of chance that nothing tells: no two are alike', async () => {
    const { sessions } = await world();
    const made = await Promise.all(Array.from({ length: 50 }, () => sessions.create({})));
    expect(new Set(made.map(({ token }) => token.split('.')[0])).size).toBe(50);
    for (const { token } of made) expect(token).toMatch(/^[\w-]{43}\.[\w-]{22}$/);
  });
});

describe('rotation', () => {
  test('makes the former token worth nothing, and keeps the data and the absolute end', async () => {
    const { sessions, clock } = await world();
    const first = await sessions.create({ userId: 'mia', cart: { nori: 1 } });
    await clock.advance(10 * MINUTE);
    const second = await sessions.rotate(first.token);
    expect(second.token).not.toBe(first.token);
    expect(await sessions.validate(first.token)).toBeUndefined();
    await expect(sessions.validateOrThrow(first.token)).rejects.toMatchObject(code('rotated'));
    await expect(sessions.mutate(first.token, () => {})).rejects.toMatchObject(code('rotated'));
    await expect(sessions.rotate(first.token)).rejects.toMatchObject(code('rotated'));
    const { session } = second;
    expect(await sessions.validate(second.token)).toEqual(session);
    expect(session).toMatchObject({ userId: 'mia', cart: { nori: 1 }, family: first.session.family });
    expect(session.absoluteAt).toEqual(first.session.absoluteAt);
    expect(session.expiresAt.getTime()).toBe(Math.floor(clock.now() + 30 * MINUTE));
    expect((await collect(sessions.list('mia'))).map(({ id }) => id)).toEqual([session.id]);
  });

  test('leaves requests that are under way a while, in which they read and write the same session', async () => {
    const { sessions, clock } = await world();
    const first = await sessions.create({ userId: 'mia' });
    const second = await sessions.rotate(first.token, { grace: '10s' });
    await sessions.mutate(first.token, (draft) => void draft.roles.push('by the former'));
    await sessions.mutate(second.token, (draft) => void draft.roles.push('by the next'));
    for (const { token } of [first, second]) {
      expect(await sessions.validate(token)).toMatchObject({ roles: ['by the former', 'by the next'] });
    }
    // Those who rotate too get the same token.
    const others = await Promise.all([first, first].map(({ token }) => sessions.rotate(token, { grace: '10s' })));
    expect(others.map(({ token }) => token)).toEqual([second.token, second.token]);
    await clock.advance(10_000);
    expect(await sessions.validate(first.token)).toBeUndefined();
    expect(await sessions.validate(second.token)).toBeDefined();
  });

  test('at once by several requests gives all of them one token', async () => {
    const { start } = await world();
    const processes = [await start(), await start(), await start()];
    const { token } = await processes[0]!.sessions.create({ userId: 'mia' });
    const rotated = await Promise.all(
      Array.from({ length: 9 }, (_, i) => processes[i % 3]!.sessions.rotate(token, { grace: '10s' })),
    );
    expect(new Set(rotated.map((issued) => issued.token)).size).toBe(1);
    expect(await collect(processes[1]!.sessions.list('mia'))).toHaveLength(1);
  });

  test('at login takes the cart along, and gives whoever planted the token nothing', async () => {
    const { sessions } = await world();
    const planted = await sessions.create({ cart: { nori: 2 } });
    const login = await sessions.rotate(planted.token, {
      userId: 'mia',
      change: (session) => void session.roles.push('cook'),
    });
    expect(login.session).toMatchObject({ userId: 'mia', cart: { nori: 2 }, roles: ['cook'] });
    expect(login.session.fresh('1m')).toBe(true);
    expect(await sessions.validate(planted.token)).toBeUndefined();
    expect(await collect(sessions.list('mia'))).toEqual([login.session]);
    await sessions.revokeAll('mia');
    expect(await sessions.validate(login.token)).toBeUndefined();

    const other = await sessions.create({});
    await expect(sessions.rotate(other.token, { userId: 'mia', grace: '10s' })).rejects.toMatchObject(refusal('grace'));
    const { token } = await sessions.create({ userId: 'mia' });
    await expect(sessions.rotate(token, { userId: 'tom' })).rejects.toMatchObject(refusal('userId'));
    await expect(sessions.rotate(token, { grace: '16m' })).rejects.toMatchObject(refusal('grace'));
    const change = (session: AppSession) => {
      session.userId = 'tom';
    };
    await expect(sessions.rotate(token, { change: change as () => void })).rejects.toMatchObject(refusal('fn'));
    expect(await sessions.validate(token)).toMatchObject({ userId: 'mia' });
  });

  test('is noted in the list: to read it takes two calls of the store, however often a session was rotated', async () => {
    const { start } = await world();
    let calls = 0;
    const { sessions } = await start(() => {
      calls++;
      return 'none';
    });
    let { token } = await sessions.create({ userId: 'mia' });
    for (let i = 0; i < 5; i++) ({ token } = await sessions.rotate(token));
    calls = 0;
    expect(await collect(sessions.list('mia'))).toHaveLength(1);
    expect(calls).toBe(2);
  });

  test('that crashed half-way is completed by whoever comes next with the former token', async () => {
    const { sessions, start } = await world();
    let puts = 0;
    const first = await sessions.create({ userId: 'mia', cart: { nori: 1 } });
    const crashing = await start(({ verb }) => (verb === 'put' && ++puts === 1 ? 'crashAfter' : 'none'));
    await expect(crashing.sessions.rotate(first.token, { grace: '1m' })).rejects.toThrow();
    expect(await sessions.validate(first.token)).toMatchObject({ cart: { nori: 1 } });
    await sessions.mutate(first.token, (session) => {
      session.cart.rice = 1;
    });
    const { token, session } = await sessions.rotate(first.token);
    expect(session.cart).toEqual({ nori: 1, rice: 1 });
    expect(await sessions.validate(token)).toEqual(session);
    expect((await collect(sessions.list('mia'))).map(({ id }) => id)).toEqual([session.id]);
  });

  test('with a key may be asked again without grace, by the same call only', async () => {
    const { sessions } = await world();
    const { token } = await sessions.create({ userId: 'mia' });
    const once = await sessions.rotate(token, { idempotencyKey: 'request 1' });
    expect((await sessions.rotate(token, { idempotencyKey: 'request 1' })).token).toBe(once.token);
    await expect(sessions.rotate(token, { idempotencyKey: 'request 2' })).rejects.toMatchObject(code('rotated'));
    await sessions.rotate(once.token);
    await expect(sessions.rotate(token, { idempotencyKey: 'request 1' })).rejects.toMatchObject(code('rotated'));
  });
});

describe('revocation', () => {
  test('ends a session for good, whatever token of it is given', async () => {
    const { sessions } = await world();
    const first = await sessions.create({ userId: 'mia' });
    const second = await sessions.rotate(first.token, { grace: '10s' });
    const third = await sessions.rotate(second.token, { grace: '10s' });
    expect(await sessions.revoke(first.token)).toBe(true);
    for (const { token } of [first, second, third]) {
      expect(await sessions.validate(token)).toBeUndefined();
      await expect(sessions.mutate(token, () => {})).rejects.toMatchObject(code('revoked'));
      await expect(sessions.touch(token)).rejects.toMatchObject(code('revoked'));
      await expect(sessions.rotate(token)).rejects.toMatchObject(code('revoked'));
      expect(await sessions.revoke(token)).toBe(false);
    }
    expect(await collect(sessions.list('mia'))).toEqual([]);
  });

  test('by id, as a list of devices offers it, ends that session, and another user’s does not', async () => {
    const { sessions } = await world();
    const phone = await sessions.create({ userId: 'mia', device: 'phone' });
    const laptop = await sessions.create({ userId: 'mia', device: 'laptop' });
    expect((await collect(sessions.list('mia'))).map(({ device }) => device)).toEqual(['phone', 'laptop']);
    expect(await sessions.revoke({ id: phone.session.id, userId: 'tom' })).toBe(false);
    expect(await sessions.validate(phone.token)).toBeDefined();
    expect(await sessions.revoke(phone.session)).toBe(true);
    expect(await sessions.revoke({ id: 'no such id' })).toBe(false);
    expect(await sessions.validate(phone.token)).toBeUndefined();
    expect(await sessions.validate(laptop.token)).toBeDefined();
    // An id is no token.
    expect(await sessions.validate(laptop.session.id)).toBeUndefined();
  });

  test('of all ends them by one write, spares one if told, and lets the user log in again', async () => {
    const { start } = await world();
    let puts = 0;
    const { sessions } = await start(({ verb }) => {
      if (verb === 'put') puts++;
      return 'none' as const;
    });
    const made = [];
    for (let i = 0; i < 20; i++) made.push(await sessions.create({ userId: 'mia' }));
    const other = await sessions.create({ userId: 'tom' });
    const [kept] = made as [(typeof made)[0]];
    puts = 0;
    await sessions.revokeAll('mia', { except: kept.token });
    expect(puts).toBe(1);
    const alive = await Promise.all(made.map(({ token }) => sessions.validate(token)));
    expect(alive.map((session) => session?.id)).toEqual([kept.session.id, ...Array(19).fill(undefined)]);
    expect((await collect(sessions.list('mia'))).map(({ id }) => id)).toEqual([kept.session.id]);
    // The spared one is as any other: it can be changed and rotated, and the next revocation ends it.
    const rotated = await sessions.rotate(kept.token);
    expect(await sessions.validate(rotated.token)).toBeDefined();
    const later = await sessions.create({ userId: 'mia' });
    await sessions.revokeAll('mia', { except: later.token });
    expect(await sessions.validate(rotated.token)).toBeUndefined();
    expect(await sessions.validate(later.token)).toBeDefined();
    await sessions.revokeAll('mia');
    expect(await sessions.validate(later.token)).toBeUndefined();
    expect(await sessions.validate(other.token)).toBeDefined();
    expect(await sessions.validate((await sessions.create({ userId: 'mia' })).token)).toBeDefined();
  });

  test('of all but a session of somebody else revokes nothing; but one that has ended, all', async () => {
    const { sessions } = await world();
    const mine = await sessions.create({ userId: 'mia' });
    const ended = await sessions.create({ userId: 'mia' });
    const others = await sessions.create({ userId: 'tom' });
    await expect(sessions.revokeAll('mia', { except: others.token })).rejects.toMatchObject(refusal('except'));
    expect(await sessions.validate(mine.token)).toBeDefined();
    await sessions.revoke(ended.token);
    await sessions.revokeAll('mia', { except: ended.token });
    expect(await sessions.validate(mine.token)).toBeUndefined();
  });

  test('a rotation that races it spares the session under its next token', async () => {
    const { sessions, start } = await world();
    const { token } = await sessions.create({ userId: 'mia' });
    let rotated = '';
    // The session is rotated after revokeAll has found it, and before it begins the next epoch.
    let gets = 0;
    const racing = await start(async ({ verb }) => {
      if (verb === 'get' && ++gets === 3) rotated = (await sessions.rotate(token)).token;
      return 'none' as const;
    });
    await racing.sessions.revokeAll('mia', { except: token });
    expect(rotated).not.toBe('');
    expect(await sessions.validate(rotated)).toBeDefined();
  });

  test('of all while another does the same spares only the last one’s exception', async () => {
    const { sessions, start } = await world();
    const mine = await sessions.create({ userId: 'mia' });
    let gets = 0;
    const racing = await start(async ({ verb }) => {
      if (verb === 'get' && ++gets === 3) await sessions.revokeAll('mia');
      return 'none' as const;
    });
    await racing.sessions.revokeAll('mia', { except: mine.token });
    expect(await sessions.validate(mine.token)).toBeUndefined();
  });

  test('works on a record that cannot be read', async () => {
    const { sessions, store } = await world();
    const { token, session } = await sessions.create({ userId: 'mia' });
    const key = encodeTuple(['norimaki', null, 0n, 'session', 'r', session.id]);
    await store.put(key, new TextEncoder().encode('{"json":{"id":7}}'));
    await expect(sessions.validate(token)).rejects.toMatchObject({ code: 'record.corrupt' });
    expect(await sessions.revoke(token)).toBe(true);
    expect(await sessions.validate(token)).toBeUndefined();
  });
});

describe('the sessions of one user', () => {
  test('are at most maxPerUser: one more login is refused, until one has ended', async () => {
    const { sessions, clock } = await world({ maxPerUser: 3 });
    const made = [];
    for (let i = 0; i < 3; i++) made.push(await sessions.create({ userId: 'mia' }));
    await expect(sessions.create({ userId: 'mia' })).rejects.toMatchObject({
      code: 'session.tooMany',
      details: { sessions: 'web', limit: 3 },
    });
    const anonymous = await sessions.create({});
    await expect(sessions.rotate(anonymous.token, { userId: 'mia' })).rejects.toMatchObject(code('tooMany'));
    expect(await sessions.validate(anonymous.token)).toBeDefined();
    await sessions.create({ userId: 'tom' });
    await sessions.revoke(made[0]!.token);
    await sessions.create({ userId: 'mia' });
    await expect(sessions.create({ userId: 'mia' })).rejects.toMatchObject(code('tooMany'));
    // Sessions that have expired take no place.
    await clock.advance(30 * MINUTE);
    await sessions.create({ userId: 'mia' });
    expect(await collect(sessions.list('mia'))).toHaveLength(1);
  });

  test('or the oldest is ended for the newest', async () => {
    const { sessions, clock } = await world({ maxPerUser: 2, whenFull: 'revokeOldest' });
    const made = [];
    for (let i = 0; i < 4; i++) {
      made.push(await sessions.create({ userId: 'mia' }));
      await clock.advance(1000);
    }
    const alive = await Promise.all(made.map(({ token }) => sessions.validate(token)));
    expect(alive.map((session) => session !== undefined)).toEqual([false, false, true, true]);
  });

  test('are at most maxPerUser when many log in at once from several processes', async () => {
    const { start } = await world({ maxPerUser: 3 });
    const processes = [await start(), await start()];
    const logins = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) => processes[i % 2]!.sessions.create({ userId: 'mia' })),
    );
    expect(logins.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    expect(await collect(processes[0]!.sessions.list('mia'))).toHaveLength(3);
  });

  test('a session that was rotated takes one place, also if the list was not told', async () => {
    const { sessions, start } = await world({ maxPerUser: 1 });
    const first = await sessions.create({ userId: 'mia' });
    let isOver = false;
    const forgetful = await start(({ verb, keys }) => {
      const isList = Buffer.from(keys[0] ?? []).includes('session.user');
      return isOver && verb === 'put' && isList ? 'errorBefore' : 'none';
    });
    isOver = true;
    const second = await forgetful.sessions.rotate(first.token);
    expect((await collect(sessions.list('mia'))).map(({ id }) => id)).toEqual([second.session.id]);
    await expect(sessions.create({ userId: 'mia' })).rejects.toMatchObject(code('tooMany'));
    await sessions.revoke(second.token);
    await sessions.create({ userId: 'mia' });
  });
});

describe('flash messages', () => {
  test('are handed out once', async () => {
    const { sessions } = await world();
    const { token } = await sessions.create({});
    expect(await sessions.takeFlash(token)).toEqual([]);
    await sessions.flash(token, 'info', 'Saved.');
    await sessions.flash(token, 'info', 'Sent.');
    const taken = await Promise.all(Array.from({ length: 4 }, () => sessions.takeFlash(token)));
    const both = [
      { kind: 'info', message: 'Saved.' },
      { kind: 'info', message: 'Sent.' },
    ];
    expect(taken.filter((flashes) => flashes.length > 0)).toEqual([both]);
    expect(await sessions.takeFlash(token)).toEqual([]);
  });
});

describe('a mistake in the options is told', () => {
  test.each<[string, Partial<SessionsOptions>]>([
    ['name', { name: '' }],
    ['secrets', { secrets: [] }],
    ['secrets', { secrets: ['short'] }],
    ['secrets', { secrets: SECRET as never }],
    ['secrets', { secrets: [SECRET, new Uint8Array(31)] }],
    ['ttl', { ttl: { idle: '2h', absolute: '1h' } }],
    ['ttl', { ttl: { idle: 0 } }],
    ['ttl.idle', { ttl: { idle: 'soon' as never } }],
    ['touchEvery', { touchEvery: '16m' }],
    ['maxPerUser', { maxPerUser: 0 }],
    ['maxPerUser', { maxPerUser: 1001 }],
    ['whenFull', { whenFull: 'evict' as never }],
  ])('%s: %o', async (argument, options) => {
    const { db } = await openMemory();
    expect(() => appSessions(db, options)).toThrow(expect.objectContaining(refusal(argument)));
  });

  test.each(['cas', 'ifAbsent'] as const)('a store without atomic %s is refused in one sentence', async (ability) => {
    const { store, clock } = await openMemory();
    const limited = limitCapabilities(store, [ability]);
    const db = await open(limited, { clock });
    expect(() => appSessions(db)).toThrow(
      expect.objectContaining({ code: 'capability.missing', details: { capability: ability, neededBy: 'Sessions' } }),
    );
    expect(() => appSessions(db, { unsafe: true })).not.toThrow();
  });
});

test('every call gives up with its signal', async () => {
  const { sessions } = await world();
  const { token } = await sessions.create({ userId: 'mia' });
  const options = { signal: AbortSignal.abort() };
  const calls = [
    () => sessions.create({ userId: 'mia' }, options),
    () => sessions.validate(token, options),
    () => sessions.mutate(token, () => {}, options),
    () => sessions.touch(token, options),
    () => sessions.rotate(token, options),
    () => sessions.revoke(token, options),
    () => sessions.revokeAll('mia', options),
    () => collect(sessions.list('mia', options)),
    () => sessions.flash(token, 'info', 'x', options),
    () => sessions.takeFlash(token, options),
  ];
  for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'aborted' });
  await realSleep(1);
  expect(await sessions.validate(token)).toBeDefined();
});
