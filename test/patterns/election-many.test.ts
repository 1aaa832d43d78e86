import { describe, expect, test } from 'vitest';
import type { Store } from '../../src/core/store.ts';
import { open } from '../../src/index.ts';
import { ElectionGroup, type Leadership, Semaphore } from '../../src/patterns/index.ts';
import { type FaultCall, faultStore, manualClock, seededRandom } from '../../src/testing/index.ts';
import { START } from '../support/open.ts';
import { electionWorld, settled } from './support/elections.ts';

async function world() {
  const base = await electionWorld();
  let seed = 1000;
  /** A process of its own; `counts` are its calls to the store. */
  const process = async () => {
    seed += 10;
    const counts = { put: 0, get: 0, getMany: 0 };
    const script = ({ verb }: FaultCall): 'none' => {
      if (verb in counts) counts[verb as 'put']++;
      return 'none';
    };
    const random = seededRandom(seed);
    const faulty = faultStore<Store>(base.store, { random, clock: base.clock, script });
    const db = await open(faulty, { clock: base.clock, random: seededRandom(seed + 1) });
    return { db, faulty, counts };
  };
  return {
    ...base,
    process,
    member: async (candidate: string) => {
      const one = await process();
      return { ...one, group: new ElectionGroup(one.db, { name: 'g', candidate, ttl: 1000 }) };
    },
  };
}

const NAMES = Array.from({ length: 20 }, (_, i) => `shard-${i}`);

describe('many elections', () => {
  test('one sign of life serves all that a process leads', async () => {
    const { member, pass, clock } = await world();
    const { group, counts } = await member('a');
    const leaderships = await Promise.all(NAMES.map((name) => group.election(name).acquire()));
    expect(leaderships.map(({ token }) => token)).toEqual(NAMES.map(() => 1n));
    expect(group.leading).toEqual(NAMES);
    Object.assign(counts, { put: 0, get: 0, getMany: 0 });
    await pass(10_000);
    expect(leaderships.every((leadership) => leadership.valid())).toBe(true);
    // Every 250 ms: one write, after one read, and one look at all records together.
    expect(counts.put).toBeLessThanOrEqual(40);
    expect(counts.put).toBeGreaterThan(35);
    expect(counts.getMany).toBeLessThanOrEqual(40);
    await group.close();
    expect(leaderships.some((leadership) => leadership.valid())).toBe(false);
    expect(leaderships.every(({ signal }) => signal.aborted)).toBe(true);
    await expect(group.election('shard-0').tryAcquire()).rejects.toMatchObject({ code: 'election.closed' });
    await settled();
    expect(clock.sleeping).toBe(0);
  });

  test('what a process led is free at once when it closes, and after its ttl when it dies', async () => {
    const { member, pass } = await world();
    const [a, b, c] = [await member('a'), await member('b'), await member('c')];
    const lead = (of: typeof a) => Promise.all(NAMES.map((name) => of.group.election(name).tryAcquire()));
    await lead(a);
    expect(await lead(b)).toEqual(NAMES.map(() => undefined));
    await a.group.close();
    expect((await lead(b)).map((leadership) => leadership?.token)).toEqual(NAMES.map(() => 2n));

    expect(await lead(c)).toEqual(NAMES.map(() => undefined));
    const held = NAMES.map((name) => b.group.election(name).leadership as Leadership);
    b.faulty.crash();
    await pass(900);
    expect(await lead(c)).toEqual(NAMES.map(() => undefined));
    await pass(450);
    expect(held.some((leadership) => leadership.valid())).toBe(false);
    expect((await lead(c)).map((leadership) => leadership?.token)).toEqual(NAMES.map(() => 3n));
  });

  test('a process that was silent for too long comes back as another member', async () => {
    const { member, pass, clock } = await world();
    const [a, b] = [await member('a'), await member('b')];
    const one = await a.group.election('x').acquire();
    const { incarnation } = a.group.election('x');
    await b.group.election('x').tryAcquire();
    // The machine sleeps: its wall clock goes on.
    clock.set(clock.now() + 5000);
    expect(one.valid()).toBe(false);
    expect(await b.group.election('x').tryAcquire()).toBeUndefined();
    const again = await a.group.election('x').acquire();
    expect(again.token).toBe(2n);
    expect(a.group.election('x').incarnation).not.toBe(incarnation);
    await pass(2000);
    expect(again.valid()).toBe(true);
    expect(one.valid()).toBe(false);
  });

  test('a member that was given up learns it with its next sign of life, though its clocks stand still', async () => {
    const { member, store, pass } = await world();
    const own = manualClock(START);
    const random = seededRandom(5);
    const a = new ElectionGroup(await open(store, { clock: own, random }), { name: 'g', candidate: 'a', ttl: 1000 });
    const [x, y] = [await a.election('x').acquire(), await a.election('y').acquire()];
    const b = await member('b');
    expect(await b.group.election('x').tryAcquire()).toBeUndefined();
    await pass(1011);
    expect((await b.group.election('x').tryAcquire())?.token).toBe(2n);
    // More than is promised, so that it does not know yet.
    expect(x.valid()).toBe(true);
    await own.advance(250);
    await settled();
    expect([x.valid(), y.valid()]).toEqual([false, false]);
    expect(y.signal.reason).toMatchObject({ code: 'election.lost' });
    await a.close();
    await b.group.close();
  });

  test('a seat is given back, handed over, and watched, as that of an election', async () => {
    const { member, pass } = await world();
    const [a, b, c] = [await member('a'), await member('b'), await member('c')];
    const log: string[] = [];
    const stop = new AbortController();
    const lead = ({ group }: typeof a) =>
      group.election('x').lead(
        async ({ signal, token }) => {
          log.push(`${group.candidate} ${token}`);
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
        },
        { signal: stop.signal },
      );
    const led = [lead(a)];
    await settled();
    led.push(lead(b), lead(c));
    await pass(500);
    const moved = b.group.election('x').transfer('c');
    await pass(1000);
    expect(await moved).toBe(true);
    expect(log).toEqual(['a 1', 'c 2']);
    expect(await a.group.election('x').leader()).toMatchObject({ candidate: 'c', token: 2n });
    const seen: unknown[] = [];
    const watching = (async () => {
      for await (const { leader, token } of b.group.election('x').observe({ signal: stop.signal })) {
        seen.push(leader ? `${leader.candidate} ${leader.token}` : `nobody ${token}`);
      }
    })();
    watching.catch(() => {});
    // It lives by the signs of life of its group.
    await pass(3000);
    expect(seen).toEqual(['c 2']);
    const d = await member('d');
    const dead: unknown[] = [];
    (async () => {
      for await (const { leader } of d.group.election('y').observe({ signal: stop.signal })) dead.push(leader?.token);
    })().catch(() => {});
    const e = await member('e');
    await e.group.election('y').acquire();
    await pass(500);
    e.faulty.crash();
    await pass(1500);
    expect(dead).toEqual([undefined, 1n, undefined]);
    stop.abort();
    await pass(300);
    await Promise.all(led);
    expect(await a.group.election('x').leader()).toBeUndefined();
  });

  test('a group and an election of the same name, and two groups, are others', async () => {
    const { member, process } = await world();
    const { group } = await member('a');
    await group.election('x').acquire();
    const { db } = await process();
    expect(await new ElectionGroup(db, { name: 'h' }).election('x').tryAcquire()).toBeDefined();
    expect(await new ElectionGroup(db.forTenant('t'), { name: 'g' }).election('x').tryAcquire()).toBeDefined();
    expect(await new ElectionGroup(db, { name: 'g' }).election('x').tryAcquire()).toBeUndefined();
    expect(group.election('x')).toBe(group.election('x'));
    await group.close();
    await group.close();
  });
});

describe('a semaphore', () => {
  test('so many hold it at once, and one more when one gives it back or dies', async () => {
    const { process, pass, clock } = await world();
    const processes = await Promise.all(Array.from({ length: 5 }, process));
    const semaphores = processes.map(({ db }) => new Semaphore(db, { name: 's', permits: 3, ttl: 1000 }));
    const permits = [];
    for (const semaphore of semaphores) permits.push(await semaphore.tryAcquire());
    const held = permits.filter((permit) => permit !== undefined);
    expect(held.map(({ seat }) => seat).sort()).toEqual([0, 1, 2]);
    expect(permits.slice(3)).toEqual([undefined, undefined]);

    const waiting = semaphores[3]?.acquire();
    await pass(500);
    await held[1]?.release();
    expect(held[1]?.signal.aborted).toBe(true);
    await pass(300);
    const fourth = await waiting;
    expect(fourth).toMatchObject({ seat: held[1]?.seat, token: 2n });

    const dead = semaphores.indexOf(semaphores[0] as Semaphore);
    processes[dead]?.faulty.crash();
    const last = semaphores[4]?.acquire();
    await pass(1600);
    expect(held[0]?.valid()).toBe(false);
    expect(await last).toMatchObject({ seat: held[0]?.seat, token: 2n });
    for (const permit of [await last, fourth, held[2]]) await permit?.[Symbol.asyncDispose]();
    await settled();
    expect(clock.sleeping).toBe(0);
  });

  test('one process may hold several', async () => {
    const { process } = await world();
    const semaphore = new Semaphore((await process()).db, { name: 's', permits: 2 });
    const both = [await semaphore.acquire(), await semaphore.acquire()];
    expect(new Set(both.map(({ seat }) => seat)).size).toBe(2);
    expect(await semaphore.tryAcquire()).toBeUndefined();
    const stop = new AbortController();
    stop.abort();
    await expect(semaphore.acquire({ signal: stop.signal })).rejects.toMatchObject({ code: 'aborted' });
    for (const permit of both) await permit.release();
  });

  test('a number of permits that makes no sense is refused', async () => {
    const { process } = await world();
    const { db } = await process();
    for (const permits of [0, 1.5, 257, Number.NaN]) {
      expect(() => new Semaphore(db, { name: 's', permits })).toThrow(
        expect.objectContaining({ code: 'argument.invalid', details: { argument: 'permits' } }),
      );
    }
  });
});

describe('once', () => {
  test('a work for an instant is done by one of all, also when they ask again', async () => {
    const { start, pass } = await electionWorld();
    const candidates = await Promise.all(['a', 'b', 'c'].map((name) => start(name)));
    const at = new Date('2026-01-01T03:00:00Z');
    let runs = 0;
    const all = Promise.all(candidates.map(({ election }) => election.once(at, () => ++runs)));
    await pass(1000);
    const results = await all;
    expect(results.filter(({ ran }) => ran)).toEqual([{ ran: true, value: 1 }]);
    expect(runs).toBe(1);
    expect(await candidates[1]?.election.once(at, () => ++runs)).toEqual({ ran: false });
    expect(await candidates[1]?.election.once(at.getTime() - 1, () => ++runs)).toEqual({ ran: false });
    expect(await candidates[1]?.election.once(at.getTime() + 1, () => ++runs)).toEqual({ ran: true, value: 2 });
    await expect(candidates[1]?.election.once(Number.NaN, () => {})).rejects.toMatchObject({
      code: 'argument.invalid',
      details: { argument: 'at' },
    });
  });

  test('who fails at it, or dies, is replaced', async () => {
    const { start, pass } = await electionWorld();
    const [a, b, c] = [await start('a'), await start('b'), await start('c')];
    const fault = new Error('No paper.');
    await expect(
      a.election.once(5, () => {
        throw fault;
      }),
    ).rejects.toBe(fault);
    const dying = b.election.once(5, () => new Promise<void>(() => {}), { drain: 100 });
    dying.catch(() => {});
    await settled();
    const result = c.election.once(5, ({ token }) => token);
    await pass(500);
    b.faulty.crash();
    await pass(1800);
    expect(await result).toEqual({ ran: true, value: 3n });
    await expect(dying).rejects.toMatchObject({ code: 'election.drainExceeded' });
  });

  test('every: each instant once among all, and those that were slept through once', async () => {
    const { start, pass, clock } = await electionWorld();
    const [a, b] = [await start('a'), await start('b')];
    const stop = new AbortController();
    const runs: [string, bigint][] = [];
    const instants = () => runs.map(([instant]) => instant);
    const all = [a, b].map(({ election }) =>
      election.every('10s', (at, { token }) => runs.push([at.toISOString().slice(14, 19), token]), {
        signal: stop.signal,
      }),
    );
    await pass(21_000);
    expect(instants()).toEqual(['00:10', '00:20']);
    clock.set(clock.now() + 35_000);
    await pass(10_000);
    expect(instants()).toEqual(['00:10', '00:20', '01:00']);
    expect(runs.every(([, token], i) => i === 0 || token > (runs[i - 1]?.[1] ?? 0n))).toBe(true);
    stop.abort();
    await pass(300);
    await Promise.all(all);
    expect(clock.sleeping).toBe(0);
  });
});
