import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Default, Entity, Field, Id, Index, type Progress, Ttl, Unique } from '../../src/index.ts';
import { openFaulty, openMemory, START } from '../support/open.ts';

@Entity('item')
class Item {
  @Id() id!: Id<number>;
  @Field(z.number().int()) n: Default<number> = 0;
}

@Entity('member')
@Ttl('1h')
class Member {
  @Id() id!: Id<string>;
  @Field(z.string()) @Unique() email!: string;
  @Field(z.string()) @Index() city!: string;
}

describe('createMany, putMany, deleteMany', () => {
  test('give a typed result for each item, in order, and go on after a failure', async () => {
    const { db } = await openMemory();
    const items = db.repo(Item);
    await items.create({ id: 2 });
    const progress: Progress[] = [];
    const results = await items.createMany([{ id: 1 }, { id: 2 }, { id: 3, n: 0.5 }, { id: 4 }], {
      concurrency: 2,
      onProgress: (p) => progress.push(p),
    });
    expect(results.map((r) => (r.ok ? r.value.id : r.error.code))).toEqual([
      1,
      'already.exists',
      'validation.failed',
      4,
    ]);
    expect(progress.map(({ done }) => done)).toEqual([1, 2, 3, 4]);
    expect(progress.at(-1)).toEqual({ done: 4, failed: 2, total: 4 });
    await items.putMany([
      { id: 1, n: 7 },
      { id: 9, n: 9 },
    ]);
    expect((await items.getMany([1, 9])).map((i) => i?.n)).toEqual([7, 9]);
    expect(await items.deleteMany([1, 1, 77])).toMatchObject([{ value: true }, { value: false }, { value: false }]);
  });

  test('never have more under way than they are told', async () => {
    let now = 0;
    let most = 0;
    const { db, faulty } = await openFaulty(() => 'none');
    const put = faulty.put.bind(faulty);
    faulty.put = async (...args) => {
      most = Math.max(most, ++now);
      await new Promise(setImmediate);
      now--;
      return put(...args);
    };
    await db.repo(Item).createMany(
      Array.from({ length: 100 }, (_, i) => ({ id: i })),
      { concurrency: 5 },
    );
    expect(most).toBe(5);
    await expect(db.repo(Item).createMany([], { concurrency: 0 })).rejects.toThrow(
      'concurrency is a whole number from 1.',
    );
  });

  test('stop at an abort: what was not begun says so', async () => {
    const { db } = await openMemory();
    const controller = new AbortController();
    const results = await db.repo(Item).createMany(
      Array.from({ length: 50 }, (_, i) => ({ id: i })),
      {
        concurrency: 1,
        signal: controller.signal,
        onProgress: ({ done }) => {
          if (done === 10) controller.abort();
        },
      },
    );
    expect(results.filter(({ ok }) => ok)).toHaveLength(10);
    expect(results.slice(10).every((r) => !r.ok && r.error.code === 'aborted')).toBe(true);
    expect(await db.repo(Item).count()).toBe(10);
  });

  test('begin nothing more after a mistake of the program, and tell it when all has ended', async () => {
    const { db } = await openMemory();
    const mistake = new TypeError('mine');
    const items = db.repo(Item);
    const call = items.createMany(
      Array.from({ length: 50 }, (_, i) => ({ id: i })),
      {
        concurrency: 5,
        onProgress: ({ done }) => {
          if (done === 10) throw mistake;
        },
      },
    );
    await expect(call).rejects.toBe(mistake);
    const stored = await items.count();
    expect(stored).toBeLessThan(20);
    await new Promise(setImmediate);
    expect(await items.count()).toBe(stored);
  });
});

describe('plan', () => {
  test('says what each write would send, and sends nothing', async () => {
    const { db, clock } = await openMemory();
    const members = db.forTenant('acme').repo(Member);
    const expiresAt = new Date(START + 3_600_000);
    const create = await members.plan().create({ id: 'a', email: 'a@x', city: 'Oslo' });
    const prefix = ['norimaki', 'acme', 0n, 'member'];
    expect(create).toMatchObject({
      atomic: true,
      steps: [
        { purpose: 'unique', type: 'put', key: [...prefix, 'u', 'email', 'a@x'], precondition: 'absent', expiresAt },
        { purpose: 'record', type: 'put', key: [...prefix, 'r', 'a'], precondition: 'absent', expiresAt },
        { purpose: 'index', type: 'put', key: [...prefix, 'i', 'city', 'Oslo', 'a'], expiresAt, bytes: 0 },
      ],
    });
    expect(await members.exists('a')).toBe(false);

    await members.create({ id: 'a', email: 'a@x', city: 'Oslo' });
    clock.set(START + 1000);
    const move = await members.plan().mutate('a', (member) => {
      member.city = 'Rome';
    });
    expect(move.steps.map(({ purpose, type, key }) => [purpose, type, key.slice(4)])).toEqual([
      ['record', 'put', ['r', 'a']],
      ['index', 'put', ['i', 'city', 'Rome', 'a']],
      ['index', 'delete', ['i', 'city', 'Oslo', 'a']],
    ]);
    expect(move.steps[0]?.precondition).toMatchObject({ version: expect.stringMatching(/^\d+\.\d+$/) });
    expect((await members.plan().mutate('a', () => {})).steps).toEqual([]);
    expect((await members.plan().touch('a')).steps).toHaveLength(3);
    expect((await members.plan().delete('a')).steps.map(({ type }) => type)).toEqual(['delete', 'delete', 'delete']);
    expect((await members.plan().put({ id: 'a', email: 'b@x', city: 'Oslo' })).steps).toHaveLength(3);
    expect((await members.getOrThrow('a')).city).toBe('Oslo');
  });

  test('fails as the write would', async () => {
    const { db } = await openMemory();
    const members = db.repo(Member);
    await members.create({ id: 'a', email: 'a@x', city: 'Oslo' });
    const twice = members.plan().create({ id: 'a', email: 'z@x', city: 'Oslo' });
    await expect(twice).rejects.toMatchObject({ code: 'already.exists' });
    const taken = members.plan().create({ id: 'b', email: 'a@x', city: 'Oslo' });
    await expect(taken).rejects.toMatchObject({ code: 'already.exists', details: { fields: ['email'] } });
    await expect(members.plan().mutate('none', () => {})).rejects.toMatchObject({ code: 'not.found' });
  });
});
