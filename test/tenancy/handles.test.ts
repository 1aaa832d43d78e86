import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Key } from '../../src/core/store.ts';
import { modelOf } from '../../src/decorators/index.ts';
import { type Database, Entity, Field, Id, NorimakiError, open, TenantId, TenantScoped } from '../../src/index.ts';
import { Cache } from '../../src/patterns/index.ts';
import { type Access, governed, type Sealer } from '../../src/repositories/internal.ts';
import { Keyspace } from '../../src/repositories/keyspace.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { openMemory } from '../support/open.ts';
import { codeOf } from './support/blocks.ts';
import { NAMES } from './support/names.ts';

@Entity('invoice')
@TenantScoped()
class Invoice {
  @Id() id!: Id<string>;
  @Field(z.number()) total!: number;
  readonly tenant!: TenantId;

  label(): string {
    return `${this.id} of ${this.tenant}`;
  }
}

@Entity('note')
class Note {
  @Id() id!: Id<string>;
  @Field(z.string()) text!: string;
}

const keyOf = (source: typeof Invoice | typeof Note, tenant: string, generation: number, id: string): Key =>
  new Keyspace(modelOf(source), 'norimaki', { tenant, generation }).record([id]);
const failure = (work: Promise<unknown>): Promise<string> => work.then(() => 'nothing', codeOf);

describe('the name of a tenant', () => {
  test.each(['', '\ud800', 'x'.repeat(129), 'é'.repeat(65), 7, undefined, null, {}])('%j is refused', async (name) => {
    const { db } = await openMemory();
    const refused = expect.objectContaining({ code: 'argument.invalid' });
    // As a program without types would.
    expect(() => db.forTenant(name as string)).toThrow(refused);
    expect(() => TenantId(name as string)).toThrow(refused);
    const policy = { admit: () => undefined };
    expect(() => governed(db, { tenant: name as string, generation: 1, policy })).toThrow(refused);
  });

  test('of 128 bytes is taken, and case counts', async () => {
    const { db } = await openMemory();
    await db.forTenant('é'.repeat(64)).repo(Note).create({ id: '1', text: 'x' });
    await db.forTenant('Acme').repo(Note).create({ id: '1', text: 'x' });
    expect(await db.forTenant('acme').repo(Note).count()).toBe(0);
  });
});

describe('an entity of a tenant', () => {
  test('is refused by a handle without one, and shows whose it is by any other', async () => {
    const { db } = await openMemory();
    const any: Database = db;
    // @ts-expect-error: it belongs to a tenant.
    expect(() => db.repo(Invoice)).toThrow(expect.objectContaining({ code: 'tenant.required' }));
    // @ts-expect-error: it belongs to a tenant.
    expect(() => any.repo(Invoice)).toThrow(expect.objectContaining({ code: 'tenant.required' }));
    await expect(db.doctor({ entities: [Invoice] })).rejects.toMatchObject({ code: 'tenant.required' });
    const invoices = db.forTenant('acme').repo(Invoice);
    const made = await invoices.create({ id: '1', total: 3 });
    expect([made, await invoices.getOrThrow('1'), ...(await invoices.list()).items].map((one) => one.label())).toEqual(
      Array(3).fill('1 of acme'),
    );
  });

  test('does not store the tenant among its fields', async () => {
    const { db, store } = await openMemory();
    await db.forTenant('acme').repo(Invoice).create({ id: '1', total: 3 });
    const stored = await store.get(keyOf(Invoice, 'acme', 0, '1'));
    expect(JSON.parse(Buffer.from(stored?.value ?? []).toString()).json).toEqual({ id: '1', total: 3 });
  });

  test('activerecord-tenanted #152: an object of foo is not written under bar, and bar keeps its own', async () => {
    const { db } = await openMemory();
    const [foo, bar] = [db.forTenant('foo').repo(Invoice), db.forTenant('bar').repo(Invoice)];
    const ofFoo = await foo.create({ id: '1', total: 1 });
    await bar.create({ id: '1', total: 2 });
    const lost = ofFoo as unknown as Awaited<ReturnType<typeof bar.getOrThrow>>;
    const codes = await Promise.all([
      failure(bar.put(lost)),
      failure(bar.create({ ...lost, id: '2' })),
      failure(bar.mutate('1', () => lost)),
      failure(bar.mutate('1', (draft) => void Object.assign(draft, { tenant: 'foo' }))),
      failure(bar.mutate('3', () => undefined, { ifAbsent: { ...lost, id: '3' } })),
    ]);
    expect(codes).toEqual(Array(5).fill('tenant.mismatch'));
    const [result] = await bar.putMany([lost]);
    if (result?.ok !== false) throw new Error('It was written.');
    const { error } = result;
    expect(error).toMatchObject({
      code: 'tenant.mismatch',
      details: { entity: 'invoice', expected: 'bar', found: 'foo' },
    });
    expect(error.message).not.toMatch(/foo|bar/);
    expect((await bar.list()).items.map(({ total }) => total)).toEqual([2]);
    await foo.put(ofFoo);
  });
});

test('django-tenants #1052: what one tenant has in a cache is no answer to another', async () => {
  const { db } = await openMemory();
  const cacheOf = (name: string) =>
    new Cache<string>(db.forTenant(name), { name: 'views', l1: { max: 100, ttl: '1h' } });
  const caches = NAMES.map((name) => cacheOf(name));
  const load = () => Promise.all(caches.map((cache, i) => cache.get('home', () => Promise.resolve(`page of ${i}`))));
  const pages = NAMES.map((_, i) => `page of ${i}`);
  expect([await load(), await load()]).toEqual([pages, pages]);
  const notes = db.forTenant('a').repo(Note);
  expect(() => caches[1]?.through(notes)).toThrow('another tenant');
  const managed = governed(db, { tenant: 'b', generation: 1, policy: { admit: () => undefined } });
  expect(() => caches[1]?.through(managed.repo(Note))).toThrow('another tenant');
});

test('django-tenants #164: what is evaluated after its request has ended is still of its tenant', async () => {
  const { db } = await openMemory();
  for (const name of ['acme', 'globex']) {
    for (const id of ['1', '2', '3']) await db.forTenant(name).repo(Note).create({ id, text: name });
  }
  const inRequest = (name: string) => {
    const notes = db.forTenant(name).repo(Note);
    return { lazily: notes.scan({ limit: 1 }), later: () => notes.list() };
  };
  const [acme, globex] = [inRequest('acme'), inRequest('globex')];
  const seen: (string | undefined)[] = [];
  // In turns, long after both requests.
  for (let i = 0; i < 3; i++) {
    for (const { lazily } of [acme, globex]) seen.push((await lazily.next()).value?.text);
  }
  expect(seen).toEqual(['acme', 'globex', 'acme', 'globex', 'acme', 'globex']);
  expect((await acme.later()).items.every(({ text }) => text === 'acme')).toBe(true);
});

test('no way leads from one tenant to another, or to the bytes of all', async () => {
  const { db, store } = await openMemory();
  const acme = db.forTenant('acme') as unknown as Database<typeof store, undefined>;
  expect(() => acme.forTenant('globex')).toThrow(expect.objectContaining({ code: 'argument.invalid' }));
  const policy = { admit: () => undefined };
  expect(() => governed(acme, { tenant: 'globex', generation: 1, policy })).toThrow('one tenant');
  expect(Object.keys(acme.store)).toEqual(['capabilities']);
  // Nor does a tenant close what is everybody's.
  const whole = await open(memory());
  await whole.forTenant('acme').close();
  await whole.repo(Note).create({ id: '1', text: 'still open' });
  await whole.close();
});

describe('bytes under another key', () => {
  test.each([
    ['another tenant', ['acme', 0], ['globex', 0]],
    ['another generation', ['acme', 1], ['acme', 2]],
    ['what everybody reaches', ['acme', 1], ['acme', 0]],
  ] as const)('%s: are corrupt, to every verb, and are not overwritten', async (_, from, to) => {
    const { db, store } = await openMemory();
    const handle = ([tenant, generation]: readonly ['acme' | 'globex', number]) =>
      generation === 0
        ? db.forTenant(tenant)
        : governed(db, { tenant, generation, policy: { admit: () => undefined } });
    await handle(from).repo(Note).create({ id: '1', text: 'x' });
    const stored = await store.get(keyOf(Note, from[0], from[1], '1'));
    await store.put(keyOf(Note, to[0], to[1], '1'), stored?.value ?? new Uint8Array());
    const notes = handle(to).repo(Note);
    const codes = await Promise.all([
      failure(notes.get('1')),
      failure(notes.getMany(['1'])),
      failure(notes.list()),
      failure(notes.mutate('1', (note) => void Object.assign(note, { text: 'y' }))),
      failure(notes.put({ id: '1', text: 'y' })),
    ]);
    expect(codes).toEqual(Array(5).fill('record.corrupt'));
  });
});

describe('a policy', () => {
  test('is asked at the door of every verb, at every page, and refuses before anything is sent', async () => {
    const { db } = await openMemory();
    const asked: Access[] = [];
    let isClosed = false;
    const admit = (access: Access): void => {
      asked.push(access);
      if (isClosed) throw new NorimakiError('store.refused', 'Suspended.', { store: 'tenant' });
    };
    const notes = governed(db, { tenant: 'acme', generation: 1, policy: { admit } }).repo(Note);
    await notes.createMany([1, 2, 3].map((n) => ({ id: `${n}`, text: 'x' })));
    expect(asked.splice(0)).toEqual(['write', 'write', 'write']);
    await notes.get('1');
    expect(asked.splice(0)).toEqual(['read']);
    const scan = notes.scan({ limit: 1 });
    const watch = notes.watch();
    await Promise.all([scan.next(), watch.next()]);
    isClosed = true;
    const doors: readonly (() => Promise<unknown>)[] = [
      () => notes.get('1'),
      () => notes.getOrThrow('1'),
      () => notes.getMany(['1']),
      () => notes.exists('1'),
      () => notes.findOne({ id: '1' }),
      () => notes.create({ id: '4', text: 'x' }),
      () => notes.put({ id: '1', text: 'y' }),
      () => notes.mutate('1', (note) => void Object.assign(note, { text: 'y' })),
      () => notes.touch('1'),
      () => notes.delete('1'),
      () => notes.list(),
      () => notes.count(),
      () => notes.find({ id: '1' }),
      () => notes.search('x'),
      () => notes.similarTo('1'),
      () => notes.vectorOf('1'),
      () => notes.reindex(),
      () => notes.finishReindex(),
      () => notes.rollbackReindex(),
      () => notes.plan().delete('1'),
      () => notes.watch().next(),
      () => scan.next(),
    ];
    const codes = await Promise.all(doors.map((door) => failure(door())));
    // `find` says first that there is no index.
    expect(codes.map((code, i) => (i === 12 ? 'store.refused' : code))).toEqual(doors.map(() => 'store.refused'));
    isClosed = false;
    expect((await notes.list()).items.map(({ text }) => text)).toEqual(['x', 'x', 'x']);
    await notes.put({ id: '1', text: 'told' });
    isClosed = true;
    expect(await failure(watch.next())).toBe('store.refused');
  });

  test('that has to look first is waited for', async () => {
    const { db } = await openMemory();
    const policy = { admit: () => Promise.reject(new NorimakiError('store.refused', 'No.', { store: 'tenant' })) };
    const handle = governed(db, { tenant: 'acme', generation: 1, policy });
    expect(await failure(handle.repo(Note).put({ id: '1', text: 'x' }))).toBe('store.refused');
    expect(await failure(handle.doctor({ entities: [Note] }))).toBe('store.refused');
  });
});

test('sealed records open under their own key alone, and are counted as they are stored', async () => {
  const { db, store } = await openMemory();
  const secret = randomBytes(32);
  const sealer: Sealer = {
    overhead: 28,
    seal: (key, plain) => {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', secret, nonce).setAAD(key);
      return new Uint8Array(Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]));
    },
    open: (key, sealed) => {
      const decipher = createDecipheriv('aes-256-gcm', secret, sealed.subarray(0, 12))
        .setAAD(key)
        .setAuthTag(sealed.subarray(-16));
      try {
        return new Uint8Array(Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]));
      } catch {
        return undefined;
      }
    },
  };
  let bytes = 0;
  const meter = {
    take: (delta: { bytes: number }) => {
      bytes += delta.bytes;
      return { settle: () => undefined };
    },
  };
  const notes = governed(db, { tenant: 'acme', generation: 1, policy: { admit: () => undefined, sealer, meter } }).repo(
    Note,
  );
  for (const id of ['1', '2']) await notes.create({ id, text: 'canary' });
  await notes.mutate('1', (note) => void Object.assign(note, { text: 'canary too' }));
  expect((await notes.list()).items.map(({ text }) => text)).toEqual(['canary too', 'canary']);
  const [one, two] = [await store.get(keyOf(Note, 'acme', 1, '1')), await store.get(keyOf(Note, 'acme', 1, '2'))];
  expect(bytes).toBe((one?.value.length ?? 0) + (two?.value.length ?? 0));
  expect(Buffer.from(one?.value ?? []).includes('canary')).toBe(false);
  await store.put(keyOf(Note, 'acme', 1, '2'), one?.value ?? new Uint8Array());
  expect(await failure(notes.get('2'))).toBe('record.corrupt');
  const plain = governed(db, { tenant: 'acme', generation: 1, policy: { admit: () => undefined } }).repo(Note);
  expect(await failure(plain.get('1'))).toBe('record.corrupt');
  // Nor is what anybody could have written taken for what was sealed.
  await plain.create({ id: '3', text: 'forged' });
  expect(await failure(notes.get('3'))).toBe('record.corrupt');
});
