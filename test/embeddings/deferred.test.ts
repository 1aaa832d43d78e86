import { describe, expect, test } from 'vitest';
import { NorimakiError, type RepositoryOf, repositoryCalls } from '../../src/index.ts';
import type { MemoryStore } from '../../src/stores/memory/index.ts';
import { fakeEmbedder, limitCapabilities } from '../../src/testing/index.ts';
import { SkewedClock } from '../support/skewed-clock.ts';
import {
  countVectors,
  down,
  Note,
  namespaceOf,
  paidTwice,
  rewrittenNote,
  someNotes,
  until,
  world,
} from './support/deferred.ts';
import { codeOf } from './support/moving.ts';
import { disagreements } from './support/oracle.ts';
import { Doc } from './support/world.ts';

type Notes = RepositoryOf<typeof Note, MemoryStore>;

function set(note: { text: string | null }, text: string | null): void {
  note.text = text;
}

const idle = { waiting: 0, dead: 0, oldest: undefined };

describe('while the embedder is down', () => {
  test('saves succeed, searches say what is pending, and all is found once it is back', async () => {
    const { process, embedder, clock } = await world();
    const saver = (await process()).repo(Note);
    embedder.fail(down(embedder));
    const notes = someNotes(90);
    const saved = await saver.createMany(notes);
    expect(saved.every(({ ok }) => ok)).toBe(true);
    const since = clock.now();
    expect(await saver.outbox.counts()).toEqual({ waiting: 90, dead: 0, oldest: new Date(since) });
    expect(embedder.calls).toHaveLength(0);

    embedder.fail(undefined);
    expect(await saver.search('a query')).toMatchObject({ hits: [], pending: 90 });
    await saver.outbox.drain();
    expect(
      await disagreements(
        saver,
        embedder,
        notes.map(({ id }) => id),
      ),
    ).toEqual([]);
    expect(await saver.search('a query', { limit: 1 })).toMatchObject({ pending: 0 });
    expect(await saver.outbox.counts()).toEqual(idle);
    expect(paidTwice(embedder)).toEqual([]);
    expect(embedder.calls.length).toBeLessThan(5);
  });

  test('a worker takes up by itself what was saved meanwhile', async () => {
    const { process, embedder } = await world();
    const notes = (await process({ outbox: {} })).repo(Note);
    embedder.fail(down(embedder));
    await notes.createMany(someNotes(10));
    await until(() => embedder.calls.length > 0);
    embedder.fail(undefined);
    await notes.outbox.drain();
    expect(
      await disagreements(
        notes,
        embedder,
        someNotes(10).map(({ id }) => id),
      ),
    ).toEqual([]);
  });

  test('nobody asks it during a pause, and no tries are used up', async () => {
    const { process, embedder, clock } = await world({ autoAdvance: false });
    const notes = (await process({ outbox: { attempts: 1, every: '1h' } })).repo(Note);
    embedder.fail(down(embedder, 30_000));
    await notes.createMany(someNotes(3));
    await until(() => embedder.calls.length > 0);
    const asked = embedder.calls.length;
    await clock.advance(29_000);
    await notes.create({ id: 'late', text: 'late' });
    await until(() => clock.sleeping > 1);
    expect(embedder.calls).toHaveLength(asked);
    expect(await notes.outbox.counts()).toMatchObject({ waiting: 4, dead: 0 });
    await clock.advance(3_000);
    await until(() => embedder.calls.length > asked);
    // A single text finds out whether it is back.
    expect(embedder.calls[asked]).toHaveLength(1);
    embedder.fail(undefined);
    await until(async () => {
      await clock.advance(5_000);
      return (await notes.outbox.counts()).waiting === 0;
    });
    expect(await notes.outbox.counts()).toEqual(idle);
  });

  test('an embedder that refuses whatever it is asked buries nothing', async () => {
    const { process, embedder } = await world();
    const notes = (await process()).repo(Note);
    await notes.createMany(someNotes(50));
    embedder.fail(new NorimakiError('embedder.rejected', 'Your key is not valid.', { embedder: embedder.id }));
    const signal = new AbortController();
    const draining = notes.outbox.drain({ signal: signal.signal });
    await until(() => embedder.calls.length > 0);
    embedder.fail(undefined);
    await draining;
    expect(await notes.outbox.counts()).toEqual(idle);
  });
});

describe('a worker', () => {
  test('makes what was saved without being asked', async () => {
    const { process, embedder } = await world();
    const notes = (await process({ outbox: {} })).repo(Note);
    await notes.createMany(someNotes(20));
    await until(async () => (await notes.search('a query')).pending === 0);
    expect(
      await disagreements(
        notes,
        embedder,
        someNotes(20).map(({ id }) => id),
      ),
    ).toEqual([]);
    expect(paidTwice(embedder)).toEqual([]);
  });

  test('begins with what an earlier process has left', async () => {
    const { process, embedder } = await world();
    await (await process()).repo(Note).createMany(someNotes(5));
    const notes = (await process({ outbox: {} })).repo(Note);
    await until(async () => (await notes.search('a query')).pending === 0);
    expect(
      await disagreements(
        notes,
        embedder,
        someNotes(5).map(({ id }) => id),
      ),
    ).toEqual([]);
  });

  test('looks now and then for what a process without one has saved', async () => {
    const { process, clock } = await world({ autoAdvance: false });
    const worker = (await process({ outbox: { every: '10s' } })).repo(Note);
    await until(() => clock.sleeping === 1);
    await (await process()).repo(Note).createMany(someNotes(5));
    await clock.advance(9_999);
    expect(await worker.outbox.counts()).toMatchObject({ waiting: 5 });
    await clock.advance(1);
    await until(async () => (await worker.outbox.counts()).waiting === 0);
  });

  test('drives the outbox of its tenant alone', async () => {
    const { process, embedder } = await world();
    const db = await process();
    const [acme, other] = ['acme', 'other'].map((tenant) => db.forTenant(tenant).repo(Note));
    await acme?.create({ id: 'a', text: 'of acme' });
    await other?.create({ id: 'a', text: 'of other' });
    await acme?.outbox.drain();
    expect(embedder.calls).toEqual([['of acme']]);
    expect(await acme?.search('of acme')).toMatchObject({ hits: [{ score: expect.closeTo(1, 5) }], pending: 0 });
    expect(await other?.search('of acme')).toMatchObject({ hits: [], pending: 1 });
  });

  test('tells on the tracing channel what went wrong, and goes on', async () => {
    const { process, store } = await world();
    const failures: unknown[] = [];
    const told = {
      error: ({ error }: { error: unknown }) => failures.push(error),
      start() {},
      end() {},
      asyncStart() {},
      asyncEnd() {},
    };
    repositoryCalls.subscribe(told);
    try {
      const notes = (await process({ outbox: {} })).repo(Note);
      const { commit } = store;
      const broken = new Error('broken');
      await notes.create({ id: 'a', text: 'first' });
      await until(async () => (await notes.outbox.counts()).waiting === 0);
      await notes.put({ id: 'b', text: null });
      store.commit = (operations, options) =>
        options?.vectors?.length ? Promise.reject(broken) : commit.call(store, operations, options);
      await notes.create({ id: 'c', text: 'second' });
      await until(() => failures.length > 0);
      expect(failures[0]).toBe(broken);
      store.commit = commit;
      await notes.outbox.drain();
      expect(await notes.search('second')).toMatchObject({ hits: [{ entity: { id: 'c' } }, {}], pending: 0 });
    } finally {
      repositoryCalls.unsubscribe(told);
    }
  });
});

describe('a text that cannot be embedded', () => {
  test('becomes a dead letter while 99 others go through; counted, listed, retried, dropped', async () => {
    const { process, embedder } = await world();
    const notes = (await process()).repo(Note);
    embedder.poison.add('text 17');
    await notes.createMany(someNotes(100));
    const progress: unknown[] = [];
    await notes.outbox.drain({ onProgress: (step) => progress.push(step) });
    expect(progress.at(-1)).toEqual({ done: 100, failed: 1, total: 100 });
    expect(await notes.outbox.counts()).toEqual({ ...idle, dead: 1 });
    expect(await countVectors({ store: (await process()).store, embedder })).toBe(99);
    expect((await notes.outbox.deadLetters()).items).toEqual([
      {
        id: 'n017',
        attempts: 1,
        since: expect.any(Date),
        code: 'embedder.rejected',
        message: 'The fake embedder refuses this text.',
      },
    ]);

    expect(await notes.outbox.retry(['n016'])).toBe(0);
    expect(await notes.outbox.retry(['n017'])).toBe(1);
    expect(await notes.outbox.counts()).toMatchObject({ waiting: 1, dead: 0 });
    await notes.outbox.drain();
    expect(embedder.timesSent('text 17')).toBe(2);
    expect(await notes.outbox.retry()).toBe(1);
    embedder.poison.clear();
    await notes.outbox.drain();
    await notes.delete('n000');
    expect(
      await disagreements(
        notes,
        embedder,
        someNotes(100).map(({ id }) => id),
      ),
    ).toEqual([]);
    expect(await notes.outbox.drop()).toBe(0);
  });

  test('when dropped, stays unfindable until its text changes', async () => {
    const { process, embedder } = await world();
    const notes = (await process()).repo(Note);
    embedder.poison.add('bad');
    await notes.createMany([
      { id: 'a', text: 'bad' },
      { id: 'b', text: 'good' },
    ]);
    await notes.outbox.drain();
    expect(await notes.outbox.drop(['b'])).toBe(0);
    expect(await notes.outbox.drop(['a'])).toBe(1);
    embedder.poison.clear();
    await notes.mutate('a', (note) => void note.stars++);
    await notes.outbox.drain();
    expect(await notes.search('bad')).toMatchObject({ hits: [{ entity: { id: 'b' } }], pending: 0 });
    await notes.mutate('a', (note) => set(note, 'better'));
    await notes.outbox.drain();
    expect(await disagreements(notes, embedder, ['a', 'b'])).toEqual([]);
  });

  test('lives again with another text', async () => {
    const { process, embedder } = await world();
    const notes = (await process()).repo(Note);
    embedder.poison.add('bad');
    await notes.create({ id: 'a', text: 'bad' });
    await notes.outbox.drain();
    expect(await notes.outbox.counts()).toMatchObject({ waiting: 0, dead: 1 });
    await notes.mutate('a', (note) => void note.stars++);
    expect(await notes.outbox.counts()).toMatchObject({ waiting: 0, dead: 1 });
    await notes.mutate('a', (note) => set(note, 'good'));
    expect(await notes.outbox.counts()).toMatchObject({ waiting: 1, dead: 0 });
    await notes.outbox.drain();
    expect(await disagreements(notes, embedder, ['a'])).toEqual([]);
  });

  test('is found out even if the embedder then seems to be down', async () => {
    const { process, embedder } = await world();
    const notes = (await process({ outbox: { attempts: 2, every: '1h' } })).repo(Note);
    const { embed } = embedder;
    embedder.embed = async (texts, options) => {
      const vectors = await embed.call(embedder, texts, options);
      if (texts.includes('text 7')) throw new TypeError('cannot read text 7');
      return vectors;
    };
    await notes.createMany(someNotes(20));
    const draining = notes.outbox.drain();
    // Somebody else is always saved now and then: only so can it be told from an outage.
    let more = 0;
    while ((await notes.outbox.counts()).dead === 0) {
      await notes.create({ id: `more ${more}`, text: `more ${more++}` });
      await until(async () => (await notes.outbox.counts()).waiting <= 1);
    }
    await draining;
    const { items } = await notes.outbox.deadLetters();
    expect(items).toMatchObject([{ id: 'n007', attempts: 2, code: 'embedder.unavailable' }]);
    expect(items[0]?.message).not.toContain('text 7');
    expect(await countVectors({ store: (await process()).store, embedder })).toBe(19 + more);
  });

  test('pages of dead letters', async () => {
    const { process, embedder } = await world();
    const notes = (await process()).repo(Note);
    await notes.createMany(someNotes(9));
    for (const { text } of someNotes(9)) if (Number(text.slice(5)) % 2 === 0) embedder.poison.add(text);
    await notes.outbox.drain();
    const ids: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await notes.outbox.deadLetters({ limit: 2, cursor });
      expect(page.items.length).toBeLessThanOrEqual(2);
      ids.push(...page.items.map(({ id }) => id));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(ids).toEqual(['n000', 'n002', 'n004', 'n006', 'n008']);
  });
});

describe('what happens while it waits', () => {
  test('the last text wins, and no other is paid for', async () => {
    const { process, embedder, store } = await world();
    const notes = (await process()).repo(Note);
    for (const text of ['first', 'second', 'first', 'last']) await notes.put({ id: 'a', text });
    await notes.outbox.drain();
    expect(embedder.calls).toEqual([['last']]);
    expect(await disagreements(notes, embedder, ['a'])).toEqual([]);
    expect(await countVectors({ store, embedder })).toBe(1);
  });

  test.each([
    ['deleted', (notes: Notes) => notes.delete('a')],
    ['left without a text', (notes: Notes) => notes.mutate('a', (note) => set(note, null))],
    ['given a vector', (notes: Notes) => notes.put({ id: 'a', text: 'x', vector: new Float32Array(16).fill(1) })],
  ])('an entity that is %s costs nothing', async (_what, change) => {
    const { process, embedder } = await world();
    const notes = (await process()).repo(Note);
    await notes.create({ id: 'a', text: 'x' });
    await change(notes);
    await notes.outbox.drain();
    expect(embedder.calls).toEqual([]);
    expect(await notes.outbox.counts()).toEqual(idle);
  });

  test('an entity that expires costs nothing', async () => {
    const { process, embedder, clock } = await world();
    const notes = (await process()).repo(Note);
    await notes.create({ id: 'a', text: 'x' }, { ttl: '1m' });
    await clock.advance(60_000);
    await notes.outbox.drain();
    expect(embedder.calls).toEqual([]);
    expect(await notes.outbox.counts()).toEqual(idle);
  });

  test('an entity that has expired by the clock of a worker alone waits for who renews it', async () => {
    const { process, embedder, clock } = await world({ autoAdvance: false });
    const home = (await process()).repo(Note);
    await home.create({ id: 'a', text: 'x' }, { ttl: '1m' });
    const ahead = (await process({ clock: new SkewedClock(clock, 60_000) })).repo(Note);
    const draining = ahead.outbox.drain();
    await until(() => clock.sleeping > 0);
    expect(embedder.calls).toEqual([]);
    await home.touch('a', { ttl: '1h' });
    await clock.advance(1_000);
    await draining;
    expect(await disagreements(home, embedder, ['a'])).toEqual([]);
  });

  test('a program that makes another text brings the record up to date, and back again', async () => {
    const { process, embedder } = await world();
    const home = (await process()).repo(Note);
    await home.create({ id: 'a', text: 'quiet' });
    const shouted = (await process()).repo(rewrittenNote((text) => text.toUpperCase()));
    await shouted.outbox.drain();
    expect(embedder.calls).toEqual([['QUIET']]);
    expect((await shouted.search('QUIET')).hits).toMatchObject([{ score: expect.closeTo(1, 5) }]);
    await home.mutate('a', (note) => void note.stars++);
    await home.outbox.drain();
    expect(await disagreements(home, embedder, ['a'])).toEqual([]);
  });

  test('what only another program can embed is left to it, and drain says so', async () => {
    const { process, embedder } = await world();
    const home = (await process()).repo(Note);
    await home.create({ id: 'a', text: 'x' });
    const stranger = (await process({ embedder: fakeEmbedder({ id: 'other@1' }) })).repo(Note);
    expect(await stranger.outbox.drain().catch(codeOf)).toBe('embedding.mismatch');
    expect(await stranger.outbox.counts()).toMatchObject({ waiting: 1, dead: 0 });
    await home.outbox.drain();
    expect(await disagreements(home, embedder, ['a'])).toEqual([]);
  });

  test('a namespace that was dropped is made again', async () => {
    const { process, embedder, store } = await world();
    const notes = (await process()).repo(Note);
    await notes.create({ id: 'a', text: 'x' });
    await store.vectors.dropIndex(namespaceOf(embedder));
    await notes.outbox.drain();
    expect(await disagreements(notes, embedder, ['a'])).toEqual([]);
  });
});

describe('the end', () => {
  test('closing gives up the embedder, leaves nothing open and loses nothing', async () => {
    const { process, embedder, clock } = await world();
    const db = await process({ outbox: {} });
    const notes = db.repo(Note);
    let open = (): void => {};
    embedder.gate = new Promise((resolve) => {
      open = resolve;
    });
    await notes.createMany(someNotes(3));
    await until(() => embedder.calls.length > 0);
    await db.close();
    expect(clock.sleeping).toBe(0);
    open();
    embedder.gate = undefined;
    // The store was handed in open: saves still succeed, and wait for the next process.
    await notes.create({ id: 'after', text: 'after' });
    const next = (await process()).repo(Note);
    expect(await next.outbox.counts()).toMatchObject({ waiting: 4, dead: 0 });
    await next.outbox.drain();
    expect(await disagreements(next, embedder, [...someNotes(3).map(({ id }) => id), 'after'])).toEqual([]);
    expect(await notes.outbox.drain().catch(codeOf)).toBe('store.closed');
  });

  test('closing ends a drain that waits out an outage; a signal does, too', async () => {
    const { process, embedder, clock } = await world({ autoAdvance: false });
    const db = await process();
    const notes = db.repo(Note);
    embedder.fail(down(embedder));
    await notes.create({ id: 'a', text: 'x' });
    const gaveUp = new AbortController();
    const first = notes.outbox.drain({ signal: gaveUp.signal }).catch(codeOf);
    await until(() => embedder.calls.length > 0 && clock.sleeping > 0);
    gaveUp.abort();
    expect(await first).toBe('aborted');
    const second = notes.outbox.drain().catch(codeOf);
    await until(() => clock.sleeping > 0);
    await db.close();
    expect(await second).toBe('store.closed');
    expect(clock.sleeping).toBe(0);
  });

  test('a store that is closed first ends its worker', async () => {
    const { process, store, clock, embedder } = await world({ autoAdvance: false });
    const notes = (await process({ outbox: { every: '10s' } })).repo(Note);
    embedder.fail(down(embedder));
    await notes.create({ id: 'a', text: 'x' });
    await until(() => embedder.calls.length > 0);
    await store.close();
    await clock.advance(60_000);
    await until(() => clock.sleeping === 1);
  });
});

test('an entity without deferred embeddings has no outbox', async () => {
  const { process } = await world();
  const docs = (await process()).repo(Doc);
  const calls = [
    docs.outbox.counts(),
    docs.outbox.drain(),
    docs.outbox.deadLetters(),
    docs.outbox.retry(),
    docs.outbox.drop(),
  ];
  for (const call of calls) expect(await call.catch(codeOf)).toBe('argument.invalid');
});

test('options are checked', async () => {
  const { process } = await world();
  for (const outbox of [{ every: 0 }, { attempts: 0 }, { attempts: 1.5 }, { every: 'soon' as '1s' }]) {
    expect(await process({ outbox }).catch(codeOf)).toBe('argument.invalid');
  }
});

test('the outbox is shown where the store has what it needs', async () => {
  const { process, store } = await world();
  const db = await process({ on: limitCapabilities(store, ['commit']) });
  const docs = db.repo(Doc);
  // @ts-expect-error a deferred embedding needs a store that commits.
  expect(await docs.outbox.counts().catch(codeOf)).toBe('argument.invalid');
  expect(() => db.repo(Note)).toThrow(expect.objectContaining({ code: 'capability.missing' }));
});
