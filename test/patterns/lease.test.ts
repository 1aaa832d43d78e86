import { expect, test } from 'vitest';
import { nextTurn } from '../../src/core/turn.ts';
import { open } from '../../src/index.ts';
import { type Lease, LeaseCandidate, recordPlace } from '../../src/patterns/shared/lease/index.ts';
import type { FaultOptions } from '../../src/testing/index.ts';
import { faultStore, manualClock, seededRandom } from '../../src/testing/index.ts';
import { openMemory, START } from '../support/open.ts';
import { DRIFT, leaseProcess, TTL, Turn } from './support/leases.ts';

async function world() {
  const { store } = await openMemory();
  const clock = manualClock(START);
  const observer = (await open(store, { clock })).repo(Turn);
  let seed = 10;
  return {
    store,
    clock,
    record: () => observer.get('one'),
    observer,
    start: (faults: Partial<FaultOptions> = {}) => {
      seed += 10;
      return leaseProcess(store, clock, seed, faults);
    },
  };
}

/** Everything that does not wait for time has happened. */
const settled = async (): Promise<void> => {
  for (let i = 0; i < 10; i++) await nextTurn();
};

const got = (lease: Lease | undefined): Lease => {
  if (lease === undefined) throw new Error('It was not acquired.');
  return lease;
};

test('the first takes it, the second does not, and gets it as soon as it is given back', async () => {
  const { start, record } = await world();
  const [one, two] = [await start(), await start()];
  const lease = got(await one.candidate.tryAcquire());
  expect(lease.token).toBe(1n);
  expect(lease.valid()).toBe(true);
  expect(await two.candidate.tryAcquire()).toBeUndefined();
  expect(two.candidate.patience).toBeCloseTo(TTL * (1 + DRIFT));

  expect(await lease.release()).toBe(true);
  expect(lease.valid()).toBe(false);
  expect(lease.signal.aborted).toBe(true);
  expect(await record()).toMatchObject({ token: 1n, beat: 1 });
  expect(await record()).not.toHaveProperty('holder');
  const next = got(await two.candidate.tryAcquire());
  expect(next.token).toBe(2n);
  expect(await lease.release()).toBe(false);
  expect(next.valid()).toBe(true);
  expect((await record())?.holder).toBe(two.candidate.holder);
});

test('the holder stops before its time, a follower waits for longer, each on its own clock', async () => {
  const { start, clock } = await world();
  const [one, two] = [await start(), await start()];
  const lease = got(await one.candidate.tryAcquire());
  expect(await two.candidate.tryAcquire()).toBeUndefined();
  await clock.advance(TTL * (1 - DRIFT) - 1);
  expect(lease.valid()).toBe(true);
  expect(lease.remaining).toBe(1);
  await clock.advance(1);
  // Nobody asked it: the signal fires by itself.
  expect(lease.signal.aborted).toBe(true);
  expect(lease.valid()).toBe(false);
  expect(lease.end).toBe('expired');
  await clock.advance(TTL * 2 * DRIFT - 1);
  expect(await two.candidate.tryAcquire()).toBeUndefined();
  await clock.advance(2);
  expect(got(await two.candidate.tryAcquire()).token).toBe(2n);
});

test('a renewal counts from before it was sent, and makes followers begin to wait anew', async () => {
  const { start, clock } = await world();
  let wait: Promise<void> | undefined;
  const one = await start({
    script: async ({ verb }): Promise<'none'> => {
      if (verb === 'put') await wait;
      return 'none';
    },
  });
  const two = await start();
  const lease = got(await one.candidate.tryAcquire());
  await two.candidate.tryAcquire();
  await clock.advance(500);
  wait = clock.sleep(300);
  const renewal = lease.renew();
  await settled();
  await clock.advance(300);
  expect(await renewal).toBe(true);
  expect(lease.remaining).toBe(TTL * (1 - DRIFT) - 300);
  await clock.advance(400);
  expect(await two.candidate.tryAcquire()).toBeUndefined();
  expect(two.candidate.patience).toBeCloseTo(TTL * (1 + DRIFT));
});

test('a renewal whose answer comes after the deadline revives nothing; the same incarnation may acquire anew at once', async () => {
  const { start, clock, record } = await world();
  let wait: Promise<void> | undefined;
  const one = await start({
    script: async ({ verb }): Promise<'none'> => {
      if (verb === 'put') await wait;
      return 'none';
    },
  });
  const lease = got(await one.candidate.tryAcquire());
  wait = clock.sleep(TTL);
  const renewal = lease.renew();
  await clock.advance(TTL);
  expect(await renewal).toBe(false);
  expect(lease.valid()).toBe(false);
  wait = undefined;
  await clock.advance(1);
  const again = got(await one.candidate.tryAcquire());
  expect(again.token).toBe(2n);
  expect(lease.valid()).toBe(false);
  expect(await lease.release()).toBe(false);
  expect(await record()).toMatchObject({ holder: one.candidate.holder, token: 2n });
  expect(again.valid()).toBe(true);
});

test('so does an acquisition whose answer is slow', async () => {
  const { start, clock } = await world();
  let wait: Promise<void> | undefined = clock.sleep(300);
  const { candidate } = await start({
    script: async ({ verb }): Promise<'none'> => {
      if (verb === 'put') await wait;
      return 'none';
    },
  });
  const acquiring = candidate.tryAcquire();
  await settled();
  await clock.advance(300);
  expect(got(await acquiring).remaining).toBe(TTL * (1 - DRIFT) - 300);

  await candidate.held?.release();
  wait = clock.sleep(TTL);
  const late = candidate.tryAcquire();
  await settled();
  await clock.advance(TTL);
  expect(await late).toBeUndefined();
  expect(candidate.held).toBeUndefined();
});

test('an answer that comes after the deadline is too late although no timer has fired', async () => {
  const { start, clock } = await world();
  let letGo: (() => void) | undefined;
  let isHeld = false;
  const { candidate } = await start({
    script: async ({ verb }): Promise<'none'> => {
      if (verb === 'put' && isHeld) await new Promise<void>((resolve) => (letGo = resolve));
      return 'none';
    },
  });
  const lease = got(await candidate.tryAcquire());
  isHeld = true;
  const renewal = lease.renew();
  await settled();
  // The machine slept.
  clock.set(clock.now() + TTL);
  letGo?.();
  expect(await renewal).toBe(false);
  expect(lease.valid()).toBe(false);
});

test('one incarnation holds it once: two tries at the same time, and a try while it holds', async () => {
  const { start } = await world();
  const { candidate } = await start();
  const both = await Promise.all([candidate.tryAcquire(), candidate.tryAcquire()]);
  expect(both.filter((lease) => lease !== undefined)).toHaveLength(1);
  expect(await candidate.tryAcquire()).toBeUndefined();
  expect(candidate.held?.token).toBe(1n);
});

test('who was replaced learns it from the store', async () => {
  const { start, clock, observer } = await world();
  const one = await start();
  const lease = got(await one.candidate.tryAcquire());
  await observer.mutate('one', (turn) => {
    turn.token += 1n;
    turn.holder = 'somebody else';
  });
  expect(lease.valid()).toBe(true);
  expect(await lease.renew()).toBe(false);
  expect(lease.end).toBe('taken');
  expect(lease.signal.aborted).toBe(true);
  expect(clock.sleeping).toBe(0);
});

test('a wall clock that is ahead of its deadline, or turned back, ends it', async () => {
  for (const jump of [TTL, -1]) {
    const { start, clock } = await world();
    const { candidate } = await start();
    const lease = got(await candidate.tryAcquire());
    // The monotonic clock stands still, as in a machine that sleeps.
    clock.set(clock.now() + jump);
    expect(lease.valid()).toBe(false);
    clock.set(START);
    expect(lease.valid()).toBe(false);
  }
});

test('a kept lease is renewed until its end, through failures of the store that are shorter than it', async () => {
  const { start, clock, record } = await world();
  let isDown = false;
  const one = await start({ script: () => (isDown ? 'errorBefore' : 'none') });
  const lease = got(await one.candidate.tryAcquire());
  const kept = lease.keep(200);
  for (let i = 0; i < 50; i++) await clock.advance(100);
  expect(lease.valid()).toBe(true);
  const { beat = 0 } = (await record()) ?? {};
  expect(beat).toBeGreaterThan(20);
  expect(beat).toBeLessThanOrEqual(25);

  isDown = true;
  for (let i = 0; i < 5; i++) await clock.advance(100);
  expect(lease.valid()).toBe(true);
  isDown = false;
  for (let i = 0; i < 20; i++) await clock.advance(100);
  expect(lease.valid()).toBe(true);

  isDown = true;
  for (let i = 0; i < 20; i++) await clock.advance(100);
  expect(lease.valid()).toBe(false);
  await kept;
  expect(clock.sleeping).toBe(0);
});

test('a lost answer is not a lost lease', async () => {
  const { start, clock, record } = await world();
  let put = 0;
  const { candidate } = await start({
    script: ({ verb }) => (verb === 'put' && ++put <= 2 ? 'errorAfter' : 'none'),
  });
  const acquired = candidate.tryAcquire();
  await clock.advance(50);
  const lease = got(await acquired);
  const renewal = lease.renew();
  await clock.advance(50);
  expect(await renewal).toBe(true);
  expect(put).toBe(2);
  expect(await record()).toMatchObject({ token: 1n, beat: 1 });
});

test('a release that cannot be sent ends the lease all the same, and it runs out', async () => {
  const { start, clock } = await world();
  let isDown = false;
  const [one, two] = [await start({ script: () => (isDown ? 'errorBefore' : 'none') }), await start()];
  const lease = got(await one.candidate.tryAcquire());
  isDown = true;
  const release = lease.release();
  release.catch(() => {});
  expect(lease.valid()).toBe(false);
  for (let i = 0; i < 30; i++) await clock.advance(1000);
  await expect(release).rejects.toMatchObject({ code: 'store.unavailable' });
  await two.candidate.tryAcquire();
  await clock.advance(TTL * (1 + DRIFT) + 1);
  expect(got(await two.candidate.tryAcquire()).token).toBe(2n);
});

test('fields of the record that are not the lease’s stay', async () => {
  const { start, observer, record } = await world();
  const { candidate } = await start();
  await got(await candidate.tryAcquire()).release();
  await observer.mutate('one', (turn) => {
    turn.note = 'mine';
  });
  await candidate.tryAcquire();
  expect(await record()).toMatchObject({ token: 2n, note: 'mine' });
});

test('a follower goes by what was committed, not by a write of its own process that never came to be', async () => {
  const { store, start, clock } = await world();
  const dead = await start();
  const rival = await start();
  let isRivalFaster = false;
  const random = seededRandom(3);
  let held: Promise<void> | undefined;
  const script = async ({ verb }: { verb: string }): Promise<'none'> => {
    if (verb !== 'put') return 'none';
    if (held !== undefined) {
      await held;
      held = undefined;
      return 'none';
    }
    if (!isRivalFaster) return 'none';
    isRivalFaster = false;
    await clock.advance(500);
    got(await rival.candidate.tryAcquire());
    return 'none';
  };
  const db = await open(faultStore(store, { random, script }), { clock, random });
  const terms = { environment: db.environment, ttl: TTL, maxDriftRate: DRIFT };
  const [one, two] = [0, 1].map(() => new LeaseCandidate(recordPlace(db.repo(Turn), 'one'), terms)) as [
    LeaseCandidate,
    LeaseCandidate,
  ];
  await dead.candidate.tryAcquire();
  for (const { candidate } of [{ candidate: one }, { candidate: two }, rival]) await candidate.tryAcquire();
  await clock.advance(TTL * (1 + DRIFT) + 1);
  isRivalFaster = true;
  // Both in one round, after a write that is under way: the second is shown what the first is about to write, and then a
  // rival writes the same token.
  let letGo: () => void = () => {};
  held = new Promise((resolve) => {
    letGo = resolve;
  });
  const underway = db.repo(Turn).mutate('one', (turn) => {
    turn.note = 'under way';
  });
  await settled();
  const both = Promise.all([one.tryAcquire(), two.tryAcquire()]);
  await settled();
  letGo();
  await underway;
  while (isRivalFaster) await settled();
  await settled();
  await clock.advance(10);
  expect(await both).toEqual([undefined, undefined]);
  const theirs = got(rival.candidate.held);
  expect(theirs.token).toBe(2n);
  await clock.advance(TTL * (1 + DRIFT) - 450);
  expect(theirs.valid()).toBe(true);
  expect(await two.tryAcquire()).toBeUndefined();
  expect(await one.tryAcquire()).toBeUndefined();
});
