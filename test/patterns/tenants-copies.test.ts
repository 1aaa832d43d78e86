import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineEntity, type ErrorCode, NorimakiError, open } from '../../src/index.ts';
import { Counter } from '../../src/patterns/index.ts';
import { Tenants } from '../../src/patterns/tenants/tenants.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { fakeEmbedder, manualClock, seededRandom } from '../../src/testing/index.ts';
import { START } from '../support/open.ts';
import { Note, PLANS, User } from './support/tenants.ts';

const clock = manualClock(START, { autoAdvance: true });
const failsWith = (code: string) => (error: unknown) => NorimakiError.is(error, code as ErrorCode);

const Article = defineEntity('article', z.object({ id: z.string(), title: z.string(), at: z.date() }), {
  id: 'id',
  embeddings: { titleVector: { from: (article: { title: string }) => article.title } },
});

const Paper = defineEntity('paper', z.object({ id: z.string(), text: z.string() }), {
  id: 'id',
  embeddings: { vector: { from: 'text', chunk: { size: 16 } } },
});

const KEYS = { acme: 'a', globex: 'g', copy: 'c' } as const;
const encryption = {
  keys: (tenant: string) => ({
    current: 'k1',
    keys: { k1: new Uint8Array(32).fill((KEYS[tenant as keyof typeof KEYS] ?? 'z').charCodeAt(0)) },
  }),
};

async function start(options: object = {}) {
  const store = await memory().openStore({ clock, random: seededRandom(1) });
  const embedder = fakeEmbedder({ dimensions: 8 });
  const db = await open(store, { clock, random: seededRandom(1), embedder });
  return { store, db, tenants: new Tenants(db, { name: 'saas', plans: PLANS, ...options }) };
}

async function filled(options: object = {}) {
  const world = await start(options);
  const { tenants } = world;
  await tenants.create('acme', { plan: 'pro' });
  const acme = await tenants.db('acme');
  for (let i = 0; i < 7; i++) {
    await acme.repo(User).create({ id: `u${i}`, email: `${i}@acme.test`, age: i });
    await acme.repo(Article).create({ id: `a${i}`, title: `title number ${i}`, at: new Date(i) });
  }
  await acme.repo(Note).create({ id: 'é\0"', text: '__proto__' });
  await new Counter(acme, { name: 'visits', shards: 2 }).add(7n, { idempotencyKey: 'once' });
  await tenants.usage('acme');
  return { ...world, acme };
}

async function linesOf(lines: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of lines) all.push(line);
  return all;
}

const everything = { start: new Uint8Array(), end: Uint8Array.of(255, 255, 255, 255) };

/** That a copy has all that the tenant has, and that it works. */
async function expectSame(
  tenants: Tenants<Awaited<ReturnType<typeof start>>['store'], keyof typeof PLANS>,
  id: string,
) {
  const copy = await tenants.db(id);
  expect(await copy.repo(User).count()).toBe(7);
  expect(await copy.repo(User).findOne({ email: '3@acme.test' })).toMatchObject({ id: 'u3' });
  const { items } = await copy.repo(User).find({ age: { gte: 5 } });
  expect(items.map(({ id }) => id)).toEqual(['u5', 'u6']);
  expect(await copy.repo(Note).get('é\0"')).toEqual({ id: 'é\0"', text: '__proto__' });
  expect((await copy.repo(Article).get('a2'))?.at).toEqual(new Date(2));
  const { hits } = await copy.repo(Article).search('title number 4', { limit: 1 });
  expect(hits[0]?.entity.id).toBe('a4');
  const visits = new Counter(copy, { name: 'visits' });
  expect(await visits.add(7n, { idempotencyKey: 'once' })).toMatchObject({ replayed: true });
  expect(await visits.value()).toBe(7n);
  await expect(copy.repo(User).create({ id: 'x', email: '3@acme.test' })).rejects.toSatisfy(
    failsWith('already.exists'),
  );
  expect((await copy.doctor({ entities: [User, Article, Note] })).isHealthy).toBe(true);
}

describe.each([
  ['plain', {}],
  ['encrypted', { encryption }],
])('%s records', (_kind, options) => {
  test('an export comes back as another tenant, in another database: records, unique values, indexes, vectors, blocks', async () => {
    const { tenants } = await filled(options);
    const progress: number[] = [];
    const lines = await linesOf(tenants.export('acme', { onProgress: (p) => progress.push(p.lines) }));
    expect(progress.at(-1)).toBe(lines.length - 1);
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
    const other = await start(options);
    const seen: number[] = [];
    await other.tenants.import('globex', lines, { plan: 'pro', onProgress: (p) => seen.push(p.lines) });
    expect(seen.at(-1)).toBe(lines.length);
    await expectSame(other.tenants, 'globex');
  });

  test('a clone is a tenant of its own, and counts what it has', async () => {
    const { tenants, acme } = await filled(options);
    await tenants.clone('acme', 'copy', { plan: 'pro' });
    const before = await tenants.usage('copy');
    expect(before).toEqual(await tenants.usage('acme'));
    expect(await tenants.reconcile('copy')).toEqual(before);
    await expectSame(tenants, 'copy');
    await acme.repo(User).delete('u3');
    expect(await (await tenants.db('copy')).repo(User).get('u3')).toMatchObject({ id: 'u3' });
    for await (const _ of tenants.purge('acme', { confirm: 'acme' }));
    await expectSame(tenants, 'copy');
  });

  test('passages are counted one by one, and come with a copy', async () => {
    const { tenants } = await start(options);
    await tenants.create('acme', { plan: 'pro' });
    const papers = (await tenants.db('acme')).repo(Paper);
    await papers.create({ id: 'p', text: 'green tea leaves and red seaweed and white rice' });
    expect((await tenants.usage('acme')).vectors.used).toBe(3);
    await tenants.clone('acme', 'copy', { plan: 'pro' });
    expect((await tenants.usage('copy')).vectors.used).toBe(3);
    const copy = await tenants.db('copy');
    const { hits } = await copy.repo(Paper).search('and white rice');
    expect(hits[0]).toMatchObject({ score: expect.closeTo(1, 5), passage: { text: 'and white rice' } });
    expect((await copy.doctor({ entities: [Paper] })).isHealthy).toBe(true);
    const lines = await linesOf(tenants.export('acme'));
    await tenants.import('globex', lines, { plan: 'pro' });
    const other = await tenants.db('globex');
    expect((await other.repo(Paper).search('and white rice')).hits[0]?.passage?.text).toBe('and white rice');
    await papers.delete('p');
    expect((await tenants.reconcile('acme')).vectors.used).toBe(0);
  });

  test('a purge leaves none of its vectors, and none of a clone are missing', async () => {
    const { tenants, store } = await filled(options);
    await tenants.clone('acme', 'copy', { plan: 'pro' });
    const namespaces = new Set<string>();
    const { dropIndex } = store.vectors;
    store.vectors.dropIndex = (namespace, ...rest) => {
      namespaces.add(namespace);
      return dropIndex.call(store.vectors, namespace, ...rest);
    };
    for await (const _ of tenants.purge('acme', { confirm: 'acme' }));
    expect([...namespaces].filter((name) => name.startsWith('article.titleVector.'))).toHaveLength(1);
    for (const name of namespaces) await expect(store.vectors.list(name)).rejects.toSatisfy(failsWith('index.missing'));
    await expectSame(tenants, 'copy');
  });
});

test('a target that exists, a line that is none, a cut, and a plan that is too small: nothing is imported', async () => {
  const { tenants } = await filled();
  const lines = await linesOf(tenants.export('acme'));
  await expect(tenants.import('acme', lines, { plan: 'pro' })).rejects.toSatisfy(failsWith('already.exists'));
  await expect(tenants.clone('nobody', 'copy', { plan: 'pro' })).rejects.toSatisfy(failsWith('tenant.unknown'));
  expect(await tenants.get('copy')).toBeUndefined();
  const bad: [string, string[], string][] = [
    ['nothing', [], 'argument.invalid'],
    ['cut off', lines.slice(0, -3), 'argument.invalid'],
    ['without a line', [...lines.slice(0, 4), ...lines.slice(5)], 'argument.invalid'],
    ['no header', lines.slice(1), 'argument.invalid'],
    ['not JSON', [...lines.slice(0, 5), 'oops', ...lines.slice(6)], 'argument.invalid'],
    ['a key that is none', lines.map((line) => line.replace(/"key":"[\w-]+"/, '"key":"_____w"')), 'argument.invalid'],
    ['a record that is none', lines.map((line) => line.replace('"born":"', '"born":"\u0000"')), 'argument.invalid'],
  ];
  for (const [what, given, code] of bad) {
    await expect(tenants.import('copy', given, { plan: 'pro' }), what).rejects.toSatisfy(failsWith(code));
    expect(await tenants.get('copy'), what).toBeUndefined();
  }
  await expect(tenants.import('copy', lines, { plan: 'tiny' })).rejects.toSatisfy(failsWith('tenant.quotaExceeded'));
  expect(await tenants.get('copy')).toBeUndefined();
  await tenants.import('copy', lines, { plan: 'pro' });
  await expectSame(tenants, 'copy');
});

describe('encryption', () => {
  test('nothing of a record is in the clear, and it opens under its own key only', async () => {
    const { tenants, store, acme } = await filled({ encryption });
    await tenants.create('globex', { plan: 'pro' });
    const globex = await tenants.db('globex');
    await acme.repo(Note).put({ id: 'secret', text: 'the canary sings' });
    await acme.repo(Note).put({ id: 'other', text: 'of another key' });
    await globex.repo(Note).put({ id: 'secret', text: 'of globex' });
    const { entries } = await store.scan(everything, { limit: 1000 });
    expect(entries.some(({ value }) => Buffer.from(value).includes('canary'))).toBe(false);
    const find = (tenant: string, id: string) => {
      const found = entries.find(({ key }) => [tenant, 'note', id].every((part) => Buffer.from(key).includes(part)));
      if (found === undefined) throw new Error(`No record of ${id}`);
      return found;
    };
    const moved = find('acme', 'secret').value;
    const corrupt = failsWith('record.corrupt');
    await store.put(find('acme', 'other').key, moved);
    await expect(acme.repo(Note).get('other')).rejects.toSatisfy(corrupt);
    await store.put(find('globex', 'secret').key, moved);
    await expect(globex.repo(Note).get('secret')).rejects.toSatisfy(corrupt);
    const flipped = Uint8Array.from(moved);
    flipped[flipped.length - 1] = (flipped.at(-1) ?? 0) ^ 1;
    await store.put(find('acme', 'secret').key, flipped);
    await expect(acme.repo(Note).get('secret')).rejects.toSatisfy(corrupt);
  });

  test('keys rotate: what was written by an old key is read while it is known, and written anew by the current one', async () => {
    const key = (n: number) => new Uint8Array(32).fill(n);
    let keys: { current: string; keys: Record<string, Uint8Array> } = { current: 'one', keys: { one: key(1) } };
    const { tenants } = await start({ encryption: { keys: () => keys } });
    await tenants.create('acme', { plan: 'pro' });
    const notes = (await tenants.db('acme')).repo(Note);
    await notes.create({ id: '1', text: 'a' });
    await notes.create({ id: '2', text: 'b' });
    keys = { current: 'two', keys: { one: key(1), two: key(2) } };
    await tenants.db('acme');
    await notes.put({ id: '1', text: 'anew' });
    keys = { current: 'two', keys: { two: key(2) } };
    await tenants.db('acme');
    expect(await notes.get('1')).toMatchObject({ text: 'anew' });
    await expect(notes.get('2')).rejects.toSatisfy(failsWith('record.corrupt'));
    for (const bad of [
      { current: 'x', keys: { two: key(2) } },
      { current: 'two', keys: { two: new Uint8Array(16) } },
      { current: '', keys: { '': key(1) } },
    ]) {
      keys = bad;
      await expect(tenants.db('acme')).rejects.toSatisfy(failsWith('argument.invalid'));
    }
  });

  test('a quota counts the bytes as they are stored', async () => {
    const { tenants } = await filled({ encryption });
    const usage = await tenants.usage('acme');
    expect(await tenants.reconcile('acme')).toEqual(usage);
  });
});
