import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Default, Entity, Field, Id, Ttl } from '../../src/index.ts';
import { openMemory, START } from '../support/open.ts';

const MINUTE = 60_000;

@Entity('kept')
@Ttl('30m')
class Kept {
  @Id() id!: Id<string>;
  @Field(z.number()) n: Default<number> = 0;
}

@Entity('renewed')
@Ttl('30m', { onWrite: 'renew' })
class Renewed {
  @Id() id!: Id<string>;
  @Field(z.number()) n: Default<number> = 0;
}

@Entity('own')
class Own {
  @Id() id!: Id<string>;
  @Field(z.number()) n: Default<number> = 0;
  @Ttl() @Field(z.date().optional()) until?: Date;
}

@Entity('forever')
class Forever {
  @Id() id!: Id<string>;
}

const bump = (entity: { n: number }): void => {
  entity.n += 1;
};

describe('a record with a deadline', () => {
  test('exists until it, and not from it on', async () => {
    const { db, clock } = await openMemory();
    const repo = db.repo(Kept);
    await repo.create({ id: 'a' });
    clock.set(START + 30 * MINUTE - 1);
    expect(await repo.exists('a')).toBe(true);
    clock.set(START + 30 * MINUTE);
    expect(await repo.exists('a')).toBe(false);
    expect(await repo.get('a')).toBeUndefined();
    expect((await repo.list()).items).toEqual([]);
    expect(await repo.delete('a')).toBe(false);
    await expect(repo.mutate('a', bump)).rejects.toMatchObject({ code: 'not.found' });
    expect((await repo.create({ id: 'a' })).n).toBe(0);
  });

  test('is expired by the record, even where the store keeps it', async () => {
    const { db, clock, store } = await openMemory();
    const repo = db.repo(Kept);
    await repo.create({ id: 'a', n: 1 });
    const { entries } = await store.scan({ start: Uint8Array.of(0), end: Uint8Array.of(255) });
    const [entry] = entries;
    // A store that lost the expiry: the record itself still knows it.
    if (entry !== undefined) await store.put(entry.key, entry.value);
    clock.set(START + 30 * MINUTE);
    expect(await repo.get('a')).toBeUndefined();
    expect(await repo.exists('a')).toBe(false);
    expect((await repo.list()).items).toEqual([]);
    expect((await repo.create({ id: 'a', n: 2 })).n).toBe(2);
    expect((await repo.getOrThrow('a')).n).toBe(2);
  });

  test('keeps its deadline through mutate, put and no-ops', async () => {
    const { db, clock } = await openMemory();
    const repo = db.repo(Kept);
    await repo.create({ id: 'a' });
    clock.set(START + 20 * MINUTE);
    await repo.mutate('a', bump);
    await repo.put({ id: 'a', n: 9 });
    clock.set(START + 30 * MINUTE);
    expect(await repo.exists('a')).toBe(false);
  });

  test('renews it on each write where the entity says so', async () => {
    const { db, clock } = await openMemory();
    const repo = db.repo(Renewed);
    await repo.create({ id: 'a' });
    clock.set(START + 20 * MINUTE);
    await repo.mutate('a', bump);
    clock.set(START + 49 * MINUTE);
    await repo.put({ id: 'a', n: 5 });
    clock.set(START + 78 * MINUTE);
    expect(await repo.exists('a')).toBe(true);
    clock.set(START + 79 * MINUTE);
    expect(await repo.exists('a')).toBe(false);
  });

  test('takes another by the call, whatever the policy', async () => {
    const { db, clock } = await openMemory();
    const [kept, renewed] = [db.repo(Kept), db.repo(Renewed)];
    await kept.create({ id: 'a' }, { ttl: '1m' });
    await kept.mutate('a', bump, { ttl: '5m' });
    await renewed.create({ id: 'a' });
    clock.set(START + 4 * MINUTE);
    await renewed.mutate('a', bump, { ttl: 'keep' });
    await kept.mutate('a', bump, { ttl: 'renew' });
    clock.set(START + 30 * MINUTE);
    expect(await renewed.exists('a')).toBe(false);
    expect(await kept.exists('a')).toBe(true);
    clock.set(START + 34 * MINUTE);
    expect(await kept.exists('a')).toBe(false);
  });

  test('touch starts it again and changes nothing else', async () => {
    const { db, clock } = await openMemory();
    const repo = db.repo(Kept);
    await repo.create({ id: 'a', n: 3 });
    clock.set(START + 20 * MINUTE);
    expect(await repo.touch('a')).toMatchObject({ n: 3 });
    clock.set(START + 49 * MINUTE);
    expect(await repo.exists('a')).toBe(true);
    await repo.touch('a', { ttl: '2h' });
    clock.set(START + 168 * MINUTE);
    expect(await repo.exists('a')).toBe(true);
    await expect(repo.touch('b')).rejects.toMatchObject({ code: 'not.found' });
    await db.repo(Forever).create({ id: 'a' });
    await expect(db.repo(Forever).touch('a')).rejects.toThrow(
      "forever has no default to renew: put @Ttl('30m') on the class",
    );
  });

  test('no clock that jumps back makes it immortal, and none is brought back by an update', async () => {
    const { db, clock } = await openMemory();
    const repo = db.repo(Kept);
    await repo.create({ id: 'a' });
    clock.set(START - 60 * MINUTE);
    await repo.mutate('a', bump);
    clock.set(START + 30 * MINUTE);
    expect(await repo.exists('a')).toBe(false);
  });
});

@Entity('sliding')
@Ttl('30m', { onWrite: 'renew' })
class Sliding {
  @Id() id!: Id<string>;
  @Field(z.number()) n: Default<number> = 0;
  @Ttl() @Field(z.date().optional()) until?: Date;
}

describe('a deadline of its own', () => {
  test('is not cut short where updates renew the default, and is renewed once it is nearer', async () => {
    const { db, clock } = await openMemory();
    const repo = db.repo(Sliding);
    await repo.create({ id: 'far', until: new Date(START + 600 * MINUTE) });
    await repo.create({ id: 'near' });
    clock.set(START + 10 * MINUTE);
    expect((await repo.mutate('far', bump)).until).toEqual(new Date(START + 600 * MINUTE));
    expect((await repo.mutate('near', bump)).until).toEqual(new Date(START + 40 * MINUTE));
  });

  test('is the field, which a mutate can move and take away', async () => {
    const { db, clock } = await openMemory();
    const repo = db.repo(Own);
    const until = new Date(START + MINUTE);
    expect((await repo.create({ id: 'a', until })).until).toEqual(until);
    await repo.mutate('a', bump);
    clock.set(START + MINUTE - 1);
    expect((await repo.getOrThrow('a')).until).toEqual(until);
    await repo.mutate('a', (own) => {
      own.until = new Date(START + 2 * MINUTE);
    });
    clock.set(START + 2 * MINUTE - 1);
    await repo.put({ id: 'a', n: 4 });
    expect((await repo.getOrThrow('a')).until).toEqual(new Date(START + 2 * MINUTE));
    await repo.mutate('a', (own) => {
      delete own.until;
    });
    clock.set(START + 100 * MINUTE);
    expect(await repo.getOrThrow('a')).toMatchObject({ n: 4 });
  });

  test('follows the ttl of a call', async () => {
    const { db } = await openMemory();
    const repo = db.repo(Own);
    expect((await repo.create({ id: 'a' }, { ttl: '1m' })).until).toEqual(new Date(START + MINUTE));
    expect((await repo.touch('a', { ttl: '3m' })).until).toEqual(new Date(START + 3 * MINUTE));
  });
});
