import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Default, Entity, Field, Id, open, type Version, Versioned } from '../../src/index.ts';
import { faultStore, limitCapabilities, seededRandom } from '../../src/testing/index.ts';
import { openFaulty, openMemory } from '../support/open.ts';

@Entity('counter')
class Counter {
  @Id() name!: Id<string>;
  @Field(z.number().int()) value: Default<number> = 0;
  @Field(z.array(z.number())) seen: Default<number[]> = [];
  @Versioned() version?: Version;
}

const add = (amount: number) => (c: { value: number }) => {
  c.value += amount;
};

describe('mutate', () => {
  test('changes in place, or by returning a replacement, and resolves to what was committed', async () => {
    const { db } = await openMemory();
    const counters = db.repo(Counter);
    await counters.create({ name: 'a' });
    const changed = await counters.mutate('a', add(2));
    expect(changed).toBeInstanceOf(Counter);
    expect(changed).toEqual(await counters.get('a'));
    const replaced = await counters.mutate('a', async (c) => ({ ...c, value: c.value * 10 }));
    expect(replaced.value).toBe(20);
    expect((await counters.mutate('a', (c) => c.seen.push(7))).seen).toEqual([7]);
    await expect(counters.mutate('none', add(1))).rejects.toMatchObject({ code: 'not.found' });
  });

  test('with ifAbsent starts anew each time its function runs, and leaves what it was given alone', async () => {
    @Entity('journal')
    class Journal {
      @Id() id!: Id<string>;
      @Field(z.array(z.string())) lines: Default<string[]> = [];
    }
    const { direct, db } = await openFaulty((call) => (call <= 3 ? 'conflict' : 'none'));
    const given = { lines: ['first'] };
    const fresh = Object.assign(new Journal(), { id: 'b', lines: ['first'] });
    let runs = 0;
    for (const [id, ifAbsent] of [
      ['a', given],
      ['b', fresh],
    ] as const) {
      const note = (draft: { lines: string[] }): void => {
        runs++;
        draft.lines.push('second');
      };
      await db.repo(Journal).mutate(id, note, { ifAbsent });
      expect((await direct.repo(Journal).getOrThrow(id)).lines).toEqual(['first', 'second']);
    }
    expect(runs).toBeGreaterThan(2);
    expect(given.lines).toEqual(['first']);
    expect(fresh.lines).toEqual(['first']);
  });

  test('with ifAbsent starts from what it is given', async () => {
    const { db } = await openMemory();
    const counters = db.repo(Counter);
    expect((await counters.mutate('a', add(1), { ifAbsent: { value: 10 } })).value).toBe(11);
    expect((await counters.mutate('a', add(1), { ifAbsent: () => ({ value: 10 }) })).value).toBe(12);
  });

  test('writes nothing when fn throws, and passes the error through', async () => {
    const { db, store } = await openMemory();
    const counters = db.repo(Counter);
    const { version } = await counters.create({ name: 'a' });
    const failure = new Error('mine');
    const fn = (c: Counter): void => {
      c.value = 99;
      throw failure;
    };
    // biome-ignore lint/suspicious/noExplicitAny: the draft of a class with a branded id is not quite the class.
    await expect(counters.mutate('a', fn as any)).rejects.toBe(failure);
    expect(await counters.getOrThrow('a')).toMatchObject({ value: 0, version });
    expect(store.capabilities.commit).toBe(true);
  });

  test('writes nothing when nothing changed', async () => {
    const { db } = await openMemory();
    const counters = db.repo(Counter);
    const { version } = await counters.create({ name: 'a' });
    expect((await counters.mutate('a', (c) => ({ ...c }))).version).toBe(version);
  });

  test('refuses a changed id and an invalid result', async () => {
    const { db } = await openMemory();
    const counters = db.repo(Counter);
    await counters.create({ name: 'a' });
    const rename = counters.mutate('a', (c) => {
      // @ts-expect-error an id is for life.
      c.name = 'b';
    });
    await expect(rename).rejects.toThrow('changed the id of counter "a". An id is for life');
    await expect(counters.mutate('a', add(0.5))).rejects.toMatchObject({ code: 'validation.failed' });
    expect((await counters.getOrThrow('a')).value).toBe(0);
  });

  test('that waits for itself is refused instead of hanging', async () => {
    const { db } = await openMemory();
    const counters = db.repo(Counter);
    await counters.createMany([{ name: 'a' }, { name: 'b' }]);
    const inner = counters.mutate('a', async () => {
      await counters.mutate('a', add(1));
    });
    await expect(inner).rejects.toThrow('it would wait for itself');
    const later = counters.mutate(
      'a',
      async () => {
        await Promise.resolve();
        await counters.mutate('a', add(1));
      },
      { retry: { deadline: '1s' } },
    );
    await expect(later).rejects.toThrow('If it waits for another write to the same record, it waits for itself.');
    const other = counters.mutate('a', async (c) => {
      c.value = (await counters.mutate('b', add(5))).value;
    });
    expect((await other).value).toBe(5);
  });

  test('started by an fn but not awaited by it is carried out after it', async () => {
    const { db } = await openMemory();
    const counters = db.repo(Counter);
    await counters.create({ name: 'a' });
    let later: Promise<unknown> | undefined;
    await counters.mutate('a', (c) => {
      c.value = 1;
      later = counters.mutate('a', add(1));
    });
    await later;
    expect((await counters.getOrThrow('a')).value).toBe(2);
  });

  test('gives up waiting for an fn that never ends, and lets others through', async () => {
    const { db } = await openMemory();
    const counters = db.repo(Counter);
    await counters.create({ name: 'a' });
    const stuck = counters.mutate('a', () => new Promise<undefined>(() => {}), { retry: { deadline: '1s' } });
    const next = counters.mutate('a', add(1));
    await expect(stuck).rejects.toMatchObject({ code: 'deadline.exceeded', details: { applied: 'no' } });
    expect((await next).value).toBe(1);
  });
});

describe('coalescing', () => {
  test('1,000 concurrent mutates of one key take at most 20 writes; each sees its own result', async () => {
    let writes = 0;
    const { db, direct } = await openFaulty((_call, verb) => {
      if (verb === 'put') writes++;
      return 'none';
    });
    const counters = db.repo(Counter);
    await direct.repo(Counter).create({ name: 'a' });
    const results = await Promise.all(Array.from({ length: 1000 }, () => counters.mutate('a', add(1))));
    expect(results.map((c) => c.value)).toEqual(Array.from({ length: 1000 }, (_, i) => i + 1));
    expect((await counters.getOrThrow('a')).value).toBe(1000);
    expect(writes).toBeLessThanOrEqual(20);
    expect(writes).toBeGreaterThan(0);
  });

  test('one fn that throws, or makes an invalid entity, rejects alone', async () => {
    const { db } = await openMemory();
    const counters = db.repo(Counter);
    await counters.create({ name: 'a' });
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, (_, i) =>
        counters.mutate('a', (c) => {
          if (i % 3 === 0) throw new Error(`no ${i}`);
          c.value += i % 3 === 1 ? 1 : 0.5;
        }),
      ),
    );
    const kinds = results.map((r) => (r.status === 'fulfilled' ? 'ok' : (r.reason.code ?? r.reason.message)));
    expect(kinds.filter((kind) => kind === 'ok')).toHaveLength(10);
    expect(kinds.filter((kind) => kind === 'validation.failed')).toHaveLength(10);
    expect(kinds[0]).toBe('no 0');
    expect((await counters.getOrThrow('a')).value).toBe(10);
  });

  test('mixes with create, put and delete of the same key in the order of arrival', async () => {
    const { db } = await openMemory();
    const counters = db.repo(Counter);
    const results = await Promise.all([
      counters.mutate('a', add(1)).catch((error) => error.code),
      counters.create({ name: 'a', value: 5 }).then((c) => c.value),
      counters.mutate('a', add(1)).then((c) => c.value),
      counters.delete('a'),
      counters.delete('a'),
      counters.put({ name: 'a', value: 1 }).then((c) => c.value),
      counters.mutate('a', add(1)).then((c) => c.value),
    ]);
    expect(results).toEqual(['not.found', 5, 6, true, false, 1, 2]);
    expect((await counters.getOrThrow('a')).value).toBe(2);
  });

  test('a version is given only to the result that the store holds: an ifMatch cannot undo a neighbour', async () => {
    const { db } = await openMemory();
    const counters = db.repo(Counter);
    await counters.create({ name: 'a' });
    await counters.mutate('a', add(0));
    const [, second, third] = await Promise.all([1, 1, 1].map((n) => counters.mutate('a', add(n))));
    expect(second?.version).toBeUndefined();
    expect(third?.version).toBe((await counters.getOrThrow('a')).version);
  });

  test('a member that would break the record’s size fails alone', async () => {
    const { db } = await openMemory();
    const counters = db.repo(Counter);
    await counters.create({ name: 'a' });
    const [small, large, small2] = await Promise.allSettled([
      counters.mutate('a', add(1)),
      counters.mutate('a', (c) => {
        c.seen = new Array(400_000).fill(12345);
      }),
      counters.mutate('a', add(1)),
    ]);
    expect([small.status, large.status, small2.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(large).toMatchObject({ reason: { code: 'size.exceeded' } });
    expect((await counters.getOrThrow('a')).value).toBe(2);
  });
});

describe('conflicts', () => {
  test('between two processes lose nothing', async () => {
    const { store, clock } = await openMemory();
    const [one, two] = await Promise.all([1, 2].map((seed) => open(store, { clock, random: seededRandom(seed) })));
    await one?.repo(Counter).create({ name: 'a' });
    const all = Array.from({ length: 100 }, (_, i) => (i % 2 ? one : two)?.repo(Counter).mutate('a', add(1)));
    await Promise.all(all);
    expect((await one?.repo(Counter).getOrThrow('a'))?.value).toBe(100);
  });

  test('give up after the budget, saying how often and how long', async () => {
    const { db, direct } = await openFaulty((_call, verb) => (verb === 'put' ? 'conflict' : 'none'));
    await direct.repo(Counter).create({ name: 'a' });
    const tried = db.repo(Counter).mutate('a', add(1), { retry: { maxAttempts: 3 } });
    await expect(tried).rejects.toMatchObject({
      code: 'conflict.exhausted',
      details: { entity: 'counter', attempts: 3 },
    });
    await expect(tried).rejects.toThrow(
      /^counter was changed by others at each of 3 tries in \d+ ms; nothing was written\./,
    );
  });

  test('run fn again on fresh data', async () => {
    const { db, direct } = await openFaulty(() => 'none');
    await direct.repo(Counter).create({ name: 'a' });
    let calls = 0;
    const result = await db.repo(Counter).mutate('a', async (c) => {
      if (calls++ === 0) await direct.repo(Counter).mutate('a', add(10));
      c.value += 1;
    });
    expect([calls, result.value]).toEqual([2, 11]);
  });
});

describe('exactly once', () => {
  const cases = ['errorBefore', 'lostRequest', 'errorAfter', 'duplicate', 'zombie', 'conflict'] as const;

  test.each(cases)('under %s on the write', async (fault) => {
    let isHit = false;
    const { db, direct } = await openFaulty((_call, verb) => {
      if (verb !== 'put' || isHit) return 'none';
      isHit = true;
      return fault;
    });
    await direct.repo(Counter).create({ name: 'a' });
    const result = await db.repo(Counter).mutate('a', add(1));
    expect(result.value).toBe(1);
    expect((await direct.repo(Counter).getOrThrow('a')).value).toBe(1);
    expect(isHit).toBe(true);
  });

  test('when another writer commits before the doubt is settled', async () => {
    const { db, direct, faulty } = await openFaulty((_call, verb) =>
      verb === 'put' && puts++ === 0 ? 'errorAfter' : 'none',
    );
    let puts = 0;
    await direct.repo(Counter).create({ name: 'a' });
    const get = faulty.get.bind(faulty);
    let reads = 0;
    faulty.get = async (key, options) => {
      if (reads++ === 1) for (let i = 0; i < 5; i++) await direct.repo(Counter).mutate('a', add(10));
      return get(key, options);
    };
    const result = await db.repo(Counter).mutate('a', add(1));
    expect(result).toMatchObject({ value: 1, version: undefined });
    expect((await direct.repo(Counter).getOrThrow('a')).value).toBe(51);
  });

  test('outcome.unknown when more writes came in between than the record remembers', async () => {
    const { store, clock } = await openMemory();
    const forgetful = limitCapabilities(store, ['idempotency']);
    let puts = 0;
    const faulty = faultStore(forgetful, {
      random: seededRandom(1),
      clock,
      script: ({ verb }) => (verb === 'put' && puts++ === 0 ? 'errorAfter' : 'none'),
    });
    const owner = await open(store, { clock, random: seededRandom(2) });
    await owner.repo(Counter).create({ name: 'a' });
    const get = faulty.get.bind(faulty);
    let reads = 0;
    faulty.get = async (key, options) => {
      if (reads++ === 1) for (let i = 0; i < 40; i++) await owner.repo(Counter).mutate('a', add(10));
      return get(key, options);
    };
    const db = await open(faulty, { clock, random: seededRandom(3) });
    const doubtful = db.repo(Counter).mutate('a', add(1));
    await expect(doubtful).rejects.toMatchObject({ code: 'outcome.unknown' });
    await expect(doubtful).rejects.toThrow('counter "a"');
    expect((await owner.repo(Counter).getOrThrow('a')).value).toBe(401);
  });

  test('outcome.unknown when the store closes before a doubt is settled', async () => {
    const { store, clock } = await openMemory();
    let puts = 0;
    const faulty = faultStore(store, {
      random: seededRandom(1),
      clock,
      script: async ({ verb }) => {
        if (verb !== 'put') return 'none';
        if (puts++ === 0) return 'lostRequest';
        await store.close();
        return 'none';
      },
    });
    await (await open(store, { clock })).repo(Counter).create({ name: 'a' });
    const db = await open(faulty, { clock, random: seededRandom(3) });
    await expect(db.repo(Counter).mutate('a', add(1))).rejects.toMatchObject({ code: 'outcome.unknown' });
    await expect(db.repo(Counter).mutate('a', add(1))).rejects.toMatchObject({ code: 'store.closed' });
  });

  test('the same idempotency key applies once, also from another process and within one batch', async () => {
    const { db, store, clock } = await openMemory();
    const other = await open(store, { clock, random: seededRandom(9) });
    await db.repo(Counter).create({ name: 'a' });
    const calls = [db, other, db, other].map((handle) =>
      handle.repo(Counter).mutate('a', add(1), { idempotencyKey: 'order-7' }),
    );
    await Promise.all(calls);
    expect((await db.repo(Counter).getOrThrow('a')).value).toBe(1);
    await db.repo(Counter).mutate('a', add(1), { idempotencyKey: 'order-8' });
    expect((await db.repo(Counter).getOrThrow('a')).value).toBe(2);
  });

  test('the same idempotency key of two tenants applies to both', async () => {
    const { db } = await openMemory();
    for (const tenant of ['a', 'b']) {
      const counters = db.forTenant(tenant).repo(Counter);
      expect((await counters.mutate('x', add(1), { ifAbsent: {}, idempotencyKey: 'k' })).value).toBe(1);
    }
  });
});

describe('fence', () => {
  test('a record refuses a token lower than the highest it has seen', async () => {
    const { db } = await openMemory();
    const counters = db.repo(Counter);
    await counters.create({ name: 'a' });
    await counters.mutate('a', add(1), { fence: 7n });
    await expect(counters.mutate('a', add(1), { fence: 6n })).rejects.toMatchObject({
      code: 'fence.stale',
      details: { offered: 6n, highest: 7n },
    });
    await counters.mutate('a', add(1), { fence: 7n });
    await counters.mutate('a', add(1));
    expect((await counters.getOrThrow('a')).value).toBe(3);
  });

  test('is recorded even when nothing else changed', async () => {
    const { db } = await openMemory();
    const counters = db.repo(Counter);
    await counters.create({ name: 'a' });
    await counters.mutate('a', () => {}, { fence: 2n ** 63n });
    await expect(counters.mutate('a', add(1), { fence: 5n })).rejects.toMatchObject({ code: 'fence.stale' });
  });
});

describe('abort', () => {
  test('before the call does nothing at all', async () => {
    const { db } = await openMemory();
    await db.repo(Counter).create({ name: 'a' });
    const aborted = db.repo(Counter).mutate('a', add(1), { signal: AbortSignal.abort() });
    await expect(aborted).rejects.toMatchObject({ code: 'aborted', details: { applied: 'no' } });
    expect((await db.repo(Counter).getOrThrow('a')).value).toBe(0);
  });

  test('in the queue takes one out and leaves the others', async () => {
    const { db } = await openMemory();
    const counters = db.repo(Counter);
    await counters.create({ name: 'a' });
    const controller = new AbortController();
    const calls = Promise.allSettled([
      counters.mutate('a', add(1)),
      counters.mutate('a', add(100), { signal: controller.signal }),
      counters.mutate('a', add(1)),
    ]);
    controller.abort();
    expect((await calls).map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await counters.getOrThrow('a')).value).toBe(2);
  });

  test('during back-off ends the wait at once', async () => {
    const { db, direct } = await openFaulty((_call, verb) => (verb === 'put' ? 'conflict' : 'none'));
    await direct.repo(Counter).create({ name: 'a' });
    const controller = new AbortController();
    let calls = 0;
    const tried = db.repo(Counter).mutate(
      'a',
      (c) => {
        c.value += 1;
        if (++calls === 3) controller.abort();
      },
      { signal: controller.signal, retry: { maxAttempts: 1000 } },
    );
    await expect(tried).rejects.toMatchObject({ code: 'aborted' });
    expect(calls).toBe(3);
  });
});
