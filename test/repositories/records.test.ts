import { tracingChannel } from 'node:diagnostics_channel';
import superjson from 'superjson';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type Default, Entity, Field, Id, open, Unique } from '../../src/index.ts';
import type { MemoryStore } from '../../src/stores/memory/index.ts';
import { type Bench, openMemory } from '../support/open.ts';

@Entity('doc', { schema: 1 })
class DocV1 {
  @Id() id!: Id<string>;
  @Field(z.string()) title!: string;
}

@Entity('doc', { schema: 2, upcast: { 1: ({ title, ...rest }) => ({ ...rest, heading: title }) } })
class DocV2 {
  @Id() id!: Id<string>;
  @Field(z.string()) heading!: string;
  @Field(z.map(z.string(), z.date())) marks: Default<Map<string, Date>> = new Map();
}

@Entity('doc', { schema: 1 })
class DocV1Wide {
  @Id() id!: Id<string>;
  @Field(z.string()) title!: string;
  @Field(z.set(z.bigint())) extra: Default<Set<bigint>> = new Set();
}

@Entity('person')
class Person {
  @Id() id!: Id<string>;
  @Field(z.string()) @Unique() email!: string;
}

const ALL = { start: Uint8Array.of(0), end: Uint8Array.of(255) };

async function only(store: MemoryStore) {
  const { entries } = await store.scan(ALL);
  expect(entries).toHaveLength(1);
  // Just checked.
  return entries[0] as (typeof entries)[number];
}

async function damage({ store }: Bench, change: (text: string) => string): Promise<void> {
  const { key, value } = await only(store);
  await store.put(key, Buffer.from(change(Buffer.from(value).toString())));
}

describe('the stored record', () => {
  test('is JSON that superjson reads as the entity’s fields', async () => {
    const { db, store } = await openMemory();
    const marks = new Map([['a', new Date(5)]]);
    await db.repo(DocV2).create({ id: 'x', heading: 'h', marks });
    const text = Buffer.from((await only(store)).value).toString();
    expect(superjson.parse(text)).toEqual({ id: 'x', heading: 'h', marks });
    expect(JSON.parse(text).env).toMatchObject({ format: 1, schema: 2, seq: 1 });
  });
});

describe('a record that does not parse', () => {
  const damages: [string, (text: string) => string][] = [
    ['torn', (text) => text.slice(0, -20)],
    ['of a wrong type', (text) => text.replace('"title":"t"', '"title":7')],
    ['without an envelope', () => '{"json":{"id":"a","title":"t"}}'],
    ['not JSON at all', () => 'hello'],
  ];
  test.each(damages)(
    '%s: fails every read and write with its name, and is never overwritten',
    async (_name, change) => {
      const bench = await openMemory();
      const docs = bench.db.repo(DocV1);
      await docs.create({ id: 'a', title: 't' });
      await damage(bench, change);
      const before = await only(bench.store);
      await expect(docs.get('a')).rejects.toMatchObject({ code: 'record.corrupt', details: { entity: 'doc' } });
      await expect(docs.get('a')).rejects.toThrow('doc "a"');
      await expect(docs.list()).rejects.toMatchObject({ code: 'record.corrupt' });
      const writes = [
        docs.mutate('a', (doc) => {
          doc.title = 'new';
        }),
        docs.put({ id: 'a', title: 'new' }),
        docs.touch('a', { ttl: '1h' }),
      ];
      for (const write of writes) await expect(write).rejects.toMatchObject({ code: 'record.corrupt' });
      await expect(docs.create({ id: 'a', title: 'new' })).rejects.toMatchObject({ code: 'already.exists' });
      expect(await only(bench.store)).toEqual(before);
      expect(await docs.delete('a')).toBe(true);
      await docs.create({ id: 'a', title: 'new' });
    },
  );

  test('can be deleted even with unique fields, and its values are free again', async () => {
    const { db, store } = await openMemory();
    const people = db.repo(Person);
    await people.create({ id: 'a', email: 'a@x' });
    const { entries } = await store.scan(ALL);
    const record = entries.find(({ value }) => Buffer.from(value).toString().startsWith('{'));
    await store.put(record?.key ?? new Uint8Array(), Buffer.from('rubbish'));
    expect(await people.delete('a')).toBe(true);
    await people.create({ id: 'b', email: 'a@x' });
    expect((await people.findOne({ email: 'a@x' }))?.id).toBe('b');
  });
});

describe('schema evolution', () => {
  test('upcasts on read, and writes the new shape with the next change', async () => {
    const { store, clock, db } = await openMemory();
    await db.repo(DocV1).create({ id: 'a', title: 't' });
    const newer = (await open(store, { clock })).repo(DocV2);
    expect(await newer.get('a')).toMatchObject({ heading: 't', marks: new Map() });
    expect(Buffer.from((await only(store)).value).toString()).toContain('"title"');
    await newer.mutate('a', (doc) => {
      doc.marks.set('m', new Date(1));
    });
    const text = Buffer.from((await only(store)).value).toString();
    expect(text).not.toContain('"title"');
    expect(JSON.parse(text).env.schema).toBe(2);
  });

  test('an older program reads a newer record where it parses, and never rewrites it', async () => {
    const { store, clock, db } = await openMemory();
    await db.repo(DocV2).create({ id: 'a', heading: 'h' });
    const older = (await open(store, { clock })).repo(DocV1);
    await expect(older.get('a')).rejects.toMatchObject({ code: 'record.corrupt' });
    await expect(older.mutate('a', () => {})).rejects.toMatchObject({ code: 'record.newer' });
    const { key, value } = await only(store);
    await store.put(key, Buffer.from(Buffer.from(value).toString().replace('"heading"', '"title"')));
    expect(await older.get('a')).toMatchObject({ title: 'h' });
    const change = older.mutate('a', (doc) => {
      doc.title = 'x';
    });
    await expect(change).rejects.toMatchObject({ code: 'record.newer', details: { found: 2, known: 1 } });
    await expect(change).rejects.toThrow('this program knows 1 and does not rewrite it. Update the program.');
    await expect(older.put({ id: 'a', title: 'x' })).rejects.toMatchObject({ code: 'record.newer' });
  });

  test('an update keeps fields that it does not know', async () => {
    const { store, clock, db } = await openMemory();
    const extra = new Set([2n ** 70n]);
    await db.repo(DocV1Wide).create({ id: 'a', title: 't', extra });
    const narrow = (await open(store, { clock })).repo(DocV1);
    await narrow.mutate('a', (doc) => {
      doc.title = 'u';
    });
    await narrow.put({ id: 'a', title: 'v' });
    expect(await db.repo(DocV1Wide).get('a')).toMatchObject({ title: 'v', extra });
  });
});

describe('telemetry', () => {
  test('publishes each verb and each store call while somebody listens', async () => {
    const { db } = await openMemory();
    const heard: string[] = [];
    const onCall = (call: unknown): void => {
      heard.push(JSON.stringify(call));
    };
    const channels = ['norimaki:repository', 'norimaki:store'].map((name) => tracingChannel(name));
    for (const { start } of channels) start.subscribe(onCall);
    await db.repo(DocV1).create({ id: 'a', title: 'secret' });
    await db.repo(DocV1).get('a');
    for (const { start } of channels) start.unsubscribe(onCall);
    await db.repo(DocV1).get('a');
    expect(heard).toEqual([
      '{"entity":"doc","verb":"create"}',
      '{"verb":"put"}',
      '{"entity":"doc","verb":"get"}',
      '{"verb":"get"}',
    ]);
  });
});
