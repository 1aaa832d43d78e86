import { describe, expect, test } from 'vitest';
import { type Database, open } from '../../src/index.ts';
import { Election, type Leadership, resource } from '../../src/patterns/index.ts';
import { limitCapabilities, SimulatedCrash, seededRandom } from '../../src/testing/index.ts';
import { openMemory } from '../support/open.ts';
import { electionWorld, Job, settled } from './support/elections.ts';

const TTL = 1000;

/** Work that notes when it runs and ends as soon as it is asked to. */
function notingWork(log: string[], name: string) {
  return async (leadership: Leadership): Promise<void> => {
    log.push(`${name} ${leadership.token}`);
    await new Promise<void>((resolve) => leadership.signal.addEventListener('abort', () => resolve()));
    log.push(`${name} ends`);
  };
}

describe('leading', () => {
  test('one leads, its work runs with a token and a signal, and a result ends it', async () => {
    const { start, clock } = await electionWorld();
    const { election } = await start('a');
    const result = await election.lead(async (leadership) => {
      expect(leadership.token).toBe(1n);
      expect(leadership.valid()).toBe(true);
      expect(leadership.signal.aborted).toBe(false);
      expect(election.leadership).toBe(leadership);
      expect(await election.leader()).toEqual({ candidate: 'a', token: 1n, meta: undefined });
      return 42;
    });
    expect(result).toBe(42);
    expect(election.leadership).toBeUndefined();
    expect(await election.leader()).toBeUndefined();
    expect(clock.sleeping).toBe(0);
  });

  test('the next leads at its next look when the leader ends, and after ttl when it dies', async () => {
    const { start, pass } = await electionWorld();
    const log: string[] = [];
    const stop = new AbortController();
    const stopB = new AbortController();
    const [a, b, c] = [await start('a'), await start('b'), await start('c')];
    const first = a.election.lead(notingWork(log, 'a'), { signal: stop.signal });
    await settled();
    const second = b.election.lead(notingWork(log, 'b'), { signal: stopB.signal });
    second.catch(() => {});
    await pass(2000);
    expect(log).toEqual(['a 1']);
    stop.abort();
    await first;
    expect(log).toEqual(['a 1', 'a ends']);
    await pass(250);
    expect(log).toEqual(['a 1', 'a ends', 'b 2']);

    const third = c.election.lead(notingWork(log, 'c'), { signal: stopB.signal });
    await pass(1000);
    b.faulty.crash();
    // The leader notices that it cannot be heard, before the other one leads.
    await pass(990);
    expect(log).toEqual(['a 1', 'a ends', 'b 2', 'b ends']);
    await pass(260 + 250);
    expect(log.at(-1)).toBe('c 3');
    stopB.abort();
    await pass(100);
    await third;
    await expect(second).rejects.toThrow(SimulatedCrash);
  });

  test('a failure of the work gives the leadership back and comes out', async () => {
    const { start } = await electionWorld();
    const { election } = await start('a');
    const fault = new Error('The disk is on fire.');
    await expect(
      election.lead(async () => {
        throw fault;
      }),
    ).rejects.toBe(fault);
    expect(await election.leader()).toBeUndefined();
    // And synchronously.
    await expect(
      election.lead(() => {
        throw fault;
      }),
    ).rejects.toBe(fault);
  });

  test('the work ends before the leadership does, and is valid meanwhile', async () => {
    const { start, pass, clock } = await electionWorld();
    const { election } = await start('a');
    const stop = new AbortController();
    const log: unknown[] = [];
    const led = election.lead(
      async (leadership) => {
        await new Promise((resolve) => leadership.signal.addEventListener('abort', resolve));
        // Longer than the ttl: it is renewed while the work drains.
        await clock.sleep(3000);
        log.push(leadership.valid(), (await election.leader())?.token);
        return 'drained';
      },
      { signal: stop.signal, drain: '5s' },
    );
    await pass(500);
    stop.abort();
    await pass(4000);
    expect(await led).toBe('drained');
    expect(log).toEqual([true, 1n]);
    expect(await election.leader()).toBeUndefined();
    expect(clock.sleeping).toBe(0);
  });

  test('work that does not end in time keeps its leadership until that runs out', async () => {
    const { start, pass, clock } = await electionWorld();
    const [a, b] = [await start('a'), await start('b')];
    const stop = new AbortController();
    let leadership: Leadership | undefined;
    const led = a.election.lead(
      (given) => {
        leadership = given;
        return new Promise<void>(() => {});
      },
      { signal: stop.signal, drain: 300 },
    );
    led.catch(() => {});
    await pass(100);
    stop.abort();
    await pass(400);
    await expect(led).rejects.toMatchObject({
      code: 'election.drainExceeded',
      details: { election: 'e', token: 1n, waited: 300 },
    });
    expect(leadership?.valid()).toBe(true);
    expect(await b.election.tryAcquire()).toBeUndefined();
    await pass(1000);
    expect(leadership?.valid()).toBe(false);
    expect(clock.sleeping).toBe(0);
  });

  test('a store that is gone does not hold up the end', async () => {
    const { start, pass } = await electionWorld();
    let isSilent = false;
    const forever = new Promise<'none'>(() => {});
    const { election } = await start('a', { faults: { script: () => (isSilent ? forever : 'none') } });
    const stop = new AbortController();
    let isOver = false;
    const led = election
      .lead(
        async (leadership) => {
          await new Promise((resolve) => leadership.signal.addEventListener('abort', resolve));
          return 'ended';
        },
        { signal: stop.signal, drain: 500 },
      )
      .finally(() => {
        isOver = true;
      });
    await pass(300);
    isSilent = true;
    stop.abort();
    await pass(600);
    expect(isOver).toBe(true);
    expect(await led).toBe('ended');
  });

  test('client-go #1187: who never led is never told that it stopped leading', async () => {
    const { start, pass, clock } = await electionWorld();
    const [a, b] = [await start('a'), await start('b')];
    await a.election.acquire();
    const stop = new AbortController();
    let runs = 0;
    const led = b.election.lead(() => runs++, { signal: stop.signal });
    await pass(600);
    stop.abort();
    expect(await led).toBeUndefined();
    expect(runs).toBe(0);
    const never = new AbortController();
    never.abort();
    expect(await b.election.lead(() => runs++, { signal: never.signal })).toBeUndefined();
    expect(runs).toBe(0);
    a.faulty.crash();
    await pass(1500);
    expect(clock.sleeping).toBe(0);
  });

  test('client-go #23731: a leader that was replaced stops, whatever its renewals meet', async () => {
    const { start, pass, db } = await electionWorld();
    const { election } = await start('a');
    const log: string[] = [];
    const stop = new AbortController();
    const led = election.lead(notingWork(log, 'a'), { signal: stop.signal });
    await settled();
    const { electionRecords } = await import('../../src/patterns/election/records.ts');
    // Somebody else leads, though by no rule of ours.
    await electionRecords(db).mutate('e', (record) => {
      record.holder = 'b';
      record.token = 7n;
      record.beat = 0;
    });
    expect(election.leadership?.token).toBe(1n);
    await pass(250);
    expect(log).toEqual(['a 1', 'a ends']);
    expect(election.leadership).toBeUndefined();
    stop.abort();
    await led;
  });

  test('a leader that hears nothing stops at its deadline, and its signal says why', async () => {
    const { start, pass, clock } = await electionWorld();
    let isSilent = false;
    const forever = new Promise<'none'>(() => {});
    const { election } = await start('a', { faults: { script: () => (isSilent ? forever : 'none') } });
    const leadership = await election.acquire();
    await pass(300);
    isSilent = true;
    await pass(600);
    expect(leadership.valid()).toBe(true);
    await pass(400);
    expect(leadership.signal.aborted).toBe(true);
    expect(leadership.signal.reason).toMatchObject({ code: 'election.lost', details: { election: 'e', token: 1n } });
    await expect(leadership.seal(await jobsOf(), 'j')).rejects.toMatchObject({ code: 'election.lost' });
    expect(clock.sleeping).toBe(0);
    async function jobsOf() {
      return (await openMemory()).db.repo(Job);
    }
  });

  test('one candidate does one work at a time, and an object is one candidate', async () => {
    const { start, db } = await electionWorld();
    const { election } = await start('a');
    let end: () => void = () => {};
    const led = election.lead(() => new Promise<void>((resolve) => (end = resolve)));
    await settled();
    await expect(election.lead(() => {})).rejects.toMatchObject({ code: 'argument.invalid' });
    // The same name in the same process: a copied configuration.
    const twin = new Election(db, { name: 'e', candidate: 'a', ttl: TTL });
    expect(twin.incarnation).not.toBe(election.incarnation);
    expect(await twin.tryAcquire()).toBeUndefined();
    end();
    await led;
    expect(await twin.tryAcquire()).toBeDefined();
  });

  test('a restart is another candidate: it waits for its own former leadership', async () => {
    const { start, pass } = await electionWorld();
    const before = await start('a');
    const lost = await before.election.acquire();
    before.faulty.crash();
    const after = await start('a');
    expect(await after.election.tryAcquire()).toBeUndefined();
    await pass(1011);
    expect(lost.valid()).toBe(false);
    expect((await after.election.tryAcquire())?.token).toBe(2n);
  });
});

describe('fencing', () => {
  test('Jepsen, locks of etcd: a leader that was paused writes after it was replaced, and is refused', async () => {
    const { start, pass, jobs } = await electionWorld();
    await jobs.create({ id: 'j' });
    const [a, b] = [await start('a'), await start('b')];
    const old = await a.election.acquire();
    await jobs.mutate('j', (job) => job.by.push('a'), { fence: old.token });
    await b.election.tryAcquire();
    // It has checked, and is held up before it writes.
    expect(old.valid()).toBe(true);
    a.faulty.crash();
    await pass(1100);
    const young = await b.election.acquire();
    await young.seal(jobs, 'j');
    const late = jobs.mutate('j', (job) => job.by.push('a, late'), { fence: old.token });
    await expect(late).rejects.toMatchObject({ code: 'fence.stale', details: { offered: 1n, highest: 2n } });
    await jobs.mutate('j', (job) => job.by.push('b'), { fence: young.token });
    expect((await jobs.get('j'))?.by).toEqual(['a', 'b']);
  });

  test('redlock, a pause longer than the lock: two do not work at once, and what comes late is refused', async () => {
    const { start, pass, jobs, clock } = await electionWorld();
    await jobs.create({ id: 'j' });
    const [a, b] = [await start('a'), await start('b')];
    const outcomes: string[] = [];
    const stop = new AbortController();
    const one = a.election.lead(
      async ({ token }) => {
        await a.faulty.crash();
        await clock.sleep(5000);
        outcomes.push(
          await jobs
            .mutate('j', () => {}, { fence: token })
            .then(
              () => 'written',
              (e) => e.code,
            ),
        );
      },
      { signal: stop.signal, drain: '10s' },
    );
    one.catch(() => {});
    await settled();
    const two = b.election.lead(
      async (leadership) => {
        outcomes.push('b leads');
        await new Promise((resolve) => leadership.signal.addEventListener('abort', resolve));
      },
      { signal: stop.signal, seal: [resource(jobs, 'j')] },
    );
    await pass(6000);
    expect(outcomes).toEqual(['b leads', 'fence.stale']);
    stop.abort();
    await pass(100);
    await two;
  });

  test('a record is fenced only once a leader has written or sealed it', async () => {
    const { start, jobs } = await electionWorld();
    await jobs.create({ id: 'sealed' });
    await jobs.create({ id: 'forgotten' });
    const [a, b] = [await start('a'), await start('b')];
    const old = await a.election.acquire();
    await old.release();
    const young = await b.election.acquire();
    await young.seal(jobs, 'sealed');
    await young.seal(jobs, 'new', { ifAbsent: {} });
    await expect(young.seal(jobs, 'missing')).rejects.toMatchObject({ code: 'not.found' });
    const write = (id: string) => jobs.mutate(id, (job) => job.by.push('late'), { fence: old.token });
    await expect(write('sealed')).rejects.toMatchObject({ code: 'fence.stale' });
    await expect(write('new')).rejects.toMatchObject({ code: 'fence.stale' });
    await expect(write('forgotten')).resolves.toBeDefined();
  });

  test('work that a newer leader stopped is run again when it leads again, and other failures come out', async () => {
    const { start, pass, jobs } = await electionWorld();
    await jobs.create({ id: 'j' });
    const { election } = await start('a');
    const stop = new AbortController();
    let runs = 0;
    const led = election.lead(
      async (leadership) => {
        if (runs++ > 0) return 'second';
        await new Promise((resolve) => leadership.signal.addEventListener('abort', resolve));
        throw leadership.signal.reason;
      },
      { signal: stop.signal },
    );
    await settled();
    expect(await election.transfer('a')).toBe(true);
    expect(runs).toBe(1);
    const moved = election.transfer('nobody');
    await pass(2000);
    expect(await moved).toBe(false);
    expect(await led).toBe('second');
    // A record that is ahead of this election belongs to another one: no reason to try for ever.
    await jobs.mutate('j', () => {}, { fence: 99n });
    const wrong = election.lead(({ token }) => jobs.mutate('j', () => {}, { fence: token }));
    await expect(wrong).rejects.toMatchObject({ code: 'fence.stale' });
  });
});

describe('observing', () => {
  test('names leaders with what they show, and nobody once one has been silent for too long', async () => {
    const { start, pass, store, clock } = await electionWorld();
    const { election: watcher } = await start('watcher');
    const seen: unknown[] = [];
    const stop = new AbortController();
    const watching = (async () => {
      for await (const { leader, token } of watcher.observe({ signal: stop.signal })) {
        seen.push(leader ? `${leader.candidate} ${leader.token} ${JSON.stringify(leader.meta)}` : `nobody ${token}`);
      }
    })();
    await pass(50);
    const db = await open(store, { clock, random: seededRandom(77) });
    const shown = new Election(db, { name: 'e', ttl: TTL, candidate: 'a', meta: { url: 'http://a' } });
    const leadership = await shown.acquire();
    await pass(300);
    await leadership.announce({ url: 'http://a:81' });
    await pass(300);
    await leadership.release();
    await pass(300);
    const b = await start('b');
    await b.election.acquire();
    await pass(300);
    b.faulty.crash();
    await pass(1500);
    stop.abort();
    await expect(watching).rejects.toMatchObject({ code: 'aborted' });
    expect(seen).toEqual([
      'nobody 0',
      'a 1 {"url":"http://a"}',
      'a 1 {"url":"http://a:81"}',
      'nobody 1',
      'b 2 undefined',
      'nobody 2',
    ]);
    // Reading stores nothing.
    expect(await watcher.leader()).toMatchObject({ token: 2n });
  });
});

describe('handing over', () => {
  test('to a named candidate, asked by any process; others let it go first', async () => {
    const { start, pass } = await electionWorld();
    const log: string[] = [];
    const stop = new AbortController();
    const [a, b, c, d] = [await start('a'), await start('b'), await start('c'), await start('operator')];
    const led = [a.election.lead(notingWork(log, 'a'), { signal: stop.signal })];
    await settled();
    for (const [one, name] of [
      [b, 'b'],
      [c, 'c'],
    ] as const) {
      led.push(one.election.lead(notingWork(log, name), { signal: stop.signal }));
    }
    await pass(400);
    const moved = d.election.transfer('c');
    await pass(800);
    expect(await moved).toBe(true);
    expect(log).toEqual(['a 1', 'a ends', 'c 2']);
    // By the leader itself, at once.
    const again = c.election.transfer('a');
    await pass(400);
    expect(await again).toBe(true);
    expect(log.slice(3)).toEqual(['c ends', 'a 3']);
    stop.abort();
    await pass(50);
    await Promise.all(led);
  });

  test('a candidate that is not there is waited for as for a leader that died', async () => {
    const { start, pass } = await electionWorld();
    const [a, b] = [await start('a'), await start('b')];
    const leadership = await a.election.acquire();
    expect(await leadership.release({ to: 'nobody' })).toBe(true);
    expect(await b.election.tryAcquire()).toBeUndefined();
    await pass(900);
    expect(await b.election.tryAcquire()).toBeUndefined();
    await pass(150);
    expect((await b.election.tryAcquire())?.token).toBe(2n);
    // And the wish is gone.
    await b.election.leadership?.release();
    expect((await a.election.tryAcquire())?.token).toBe(3n);
  });

  test('where nobody leads there is nothing to hand over', async () => {
    const { start, store } = await electionWorld();
    const { election } = await start('a');
    await expect(election.transfer('b')).rejects.toMatchObject({
      code: 'election.notLeader',
      details: { election: 'e' },
    });
    expect((await store.scan({ start: Uint8Array.of(0), end: Uint8Array.of(255) })).entries).toEqual([]);
  });
});

describe('what it is told', () => {
  test('options that make no sense are refused', async () => {
    const { db } = await openMemory();
    const refusal = (argument: string) => expect.objectContaining({ code: 'argument.invalid', details: { argument } });
    for (const [argument, options] of [
      ['name', { name: '' }],
      ['name', { candidate: '' }],
      ['ttl', { ttl: 0 }],
      ['ttl', { ttl: 'soon' as never }],
      ['renewEvery', { renewEvery: '8s' }],
      ['renewEvery', { renewEvery: 0 }],
      ['pollEvery', { pollEvery: 0 }],
      ['maxDriftRate', { maxDriftRate: 0.6 }],
      ['maxDriftRate', { maxDriftRate: Number.NaN }],
    ] as const) {
      expect(() => new Election(db, { name: 'e', ...options }), argument).toThrow(refusal(argument));
    }
  });

  test('a store that cannot decide between two leaders is refused, in one sentence', async () => {
    const { store, clock } = await openMemory();
    const db = await open(limitCapabilities(store, ['cas']), { clock });
    expect(() => new Election(db, { name: 'e' })).toThrow(/two processes could lead at once/);
    expect(() => new Election(db, { name: 'e', unsafe: true })).not.toThrow();
  });

  test('elections of other names and of other tenants are others', async () => {
    const { db } = await openMemory();
    const elect = (of: Database, name: string) => new Election(of, { name }).tryAcquire();
    expect((await elect(db, 'e'))?.token).toBe(1n);
    expect((await elect(db, 'f'))?.token).toBe(1n);
    expect((await elect(db.forTenant('acme'), 'e'))?.token).toBe(1n);
    expect(await elect(db, 'e')).toBeUndefined();
  });

  test('waiting ends with the signal', async () => {
    const { start, pass, clock } = await electionWorld();
    const [a, b] = [await start('a'), await start('b')];
    const leadership = await a.election.acquire();
    const stop = new AbortController();
    const waiting = b.election.acquire({ signal: stop.signal });
    waiting.catch(() => {});
    await pass(300);
    stop.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
    await leadership[Symbol.asyncDispose]();
    expect(leadership.signal.aborted).toBe(true);
    await settled();
    expect(clock.sleeping).toBe(0);
  });
});
