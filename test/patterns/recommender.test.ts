import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { VectorStore } from '../../src/core/store.ts';
import { type Database, defineEntity, NorimakiError } from '../../src/index.ts';
import { Recommender } from '../../src/patterns/index.ts';
import { type ManualClock, manualClock, seededRandom } from '../../src/testing/index.ts';
import { START } from '../support/open.ts';
import { near, Product, type Shop, skus, startShop, stockUp } from './support/recommenders.ts';
import { openStore } from './support/stores.ts';

const DAY = 86_400_000;

let clock: ManualClock;
let shop: Shop;
let db: Database<VectorStore, undefined>;

beforeEach(async () => {
  clock = manualClock(START, { autoAdvance: true });
  ({ shop, db } = await startShop(await openStore('memory', { clock, random: seededRandom(1) }), { clock, seed: 2 }));
  await stockUp(db, 4, 20);
});

describe('for', () => {
  test('gives what is like what the user likes, and says why', async () => {
    for (const item of ['a0', 'a2', 'a3', 'a4', 'a5']) await shop.record('mia', item, 'view');
    await shop.record('mia', 'a1', 'buy');
    const list = await shop.for('mia', { limit: 5 });
    expect(list).toHaveLength(5);
    for (const { item, source, because, score } of list) {
      expect(item).toBeInstanceOf(Product);
      expect(item.kind).toBe('a');
      expect(source).toBe('interests');
      expect(score).toBeGreaterThan(0.9);
      expect(because.length).toBeGreaterThan(0);
    }
    expect(list[0]?.because[0]).toEqual({ item: 'a1', signal: 'buy' });
  });

  test('two tastes are both among the first ten, where one mean of them would lead to neither', async () => {
    for (let i = 0; i < 3; i++) {
      await shop.record('mia', `a${i}`, 'buy');
      await shop.record('mia', `b${i}`, 'buy');
    }
    const kinds = (await shop.for('mia')).map(({ item }) => item.kind).sort();
    expect(kinds.join('')).toBe('aaaaabbbbb');
  });

  test('a smaller taste has the smaller share of the places', async () => {
    for (let i = 0; i < 4; i++) await shop.record('mia', `a${i}`, 'cart');
    await shop.record('mia', 'b0', 'cart');
    const kinds = (await shop.for('mia')).map(({ item }) => item.kind).sort();
    expect(kinds.join('')).toBe('aaaaaaaabb');
  });

  test('what was seen does not come back, and with rejected only what is disliked does not', async () => {
    await shop.record('mia', 'a0', 'buy');
    await shop.record('mia', 'a1', 'shown');
    await shop.record('mia', 'a2', 'dislike');
    const unseen = skus(await shop.for('mia', { limit: 100 }));
    expect(unseen.filter((sku) => ['a0', 'a1', 'a2'].includes(sku))).toEqual([]);
    const all = skus(await shop.for('mia', { limit: 100, exclude: 'rejected' }));
    expect(all.filter((sku) => ['a0', 'a1', 'a2'].includes(sku)).sort()).toEqual(['a0', 'a1']);
  });

  test('where, filter and except hold for every strategy', async () => {
    await shop.recordMany(
      ['ann', 'bob', 'cleo'].flatMap((user) =>
        ['a0', 'a1', 'b0', 'b1', 'c0'].map((item) => ({ user, item, signal: 'buy' as const })),
      ),
    );
    await shop.record('mia', 'a0', 'buy');
    for (const strategy of ['interests', 'average', 'bestScore', 'coVisit', 'popular', 'blended'] as const) {
      const options = { limit: 50, strategy, fallback: [] };
      const whole = skus(await shop.for('mia', options));
      expect(whole.length, strategy).toBeGreaterThan(1);
      expect(whole, strategy).not.toContain('a0');
      const odd = await shop.for('mia', { ...options, filter: ({ sku }) => sku !== whole[0] });
      expect(skus(odd).length, strategy).toBeGreaterThan(0);
      expect(skus(odd), strategy).not.toContain(whole[0]);
      const kind = odd[0]?.item.kind ?? '';
      const some = await shop.for('mia', { ...options, where: { kind } });
      expect(new Set(some.map(({ item }) => item.kind)), strategy).toEqual(new Set([kind]));
      expect(skus(await shop.for('mia', { ...options, except: [whole[0] ?? ''] })), strategy).not.toContain(whole[0]);
    }
  });

  test('of a user of whom nothing is known it gives what is popular, and nothing where nothing is known at all', async () => {
    expect(await shop.for('mia')).toEqual([]);
    await shop.record('ann', 'b0', 'view');
    await shop.record('bob', 'c0', 'buy');
    const list = await shop.for('mia');
    expect(skus(list)).toEqual(['c0', 'b0']);
    expect(list[0]).toMatchObject({ source: 'popular', because: [], score: 8 / 9 });
  });

  test('a list that is too short is filled up by what was liked together, then by what is popular', async () => {
    await shop.recordMany(['b0', 'c0'].map((item) => ({ user: 'ann', item, signal: 'buy' as const })));
    await shop.record('bob', 'd0', 'buy');
    // Its vector is gone, so that it leads to nothing by itself.
    await db.repo(Product).delete('b0');
    await shop.record('mia', 'b0', 'buy');
    const list = await shop.for('mia', { limit: 3 });
    expect(list.map(({ item, source }) => [item.sku, source])).toEqual([
      ['c0', 'coVisit'],
      ['d0', 'popular'],
    ]);
    expect(list[0]?.because).toEqual([{ item: 'b0', signal: 'buy' }]);
  });

  test('nothing that was deleted is given, by any strategy', async () => {
    await shop.recordMany(
      ['ann', 'bob'].flatMap((user) => ['a0', 'a1', 'a2'].map((item) => ({ user, item, signal: 'buy' as const }))),
    );
    await shop.record('mia', 'a0', 'buy');
    await db.repo(Product).delete('a1');
    for (const strategy of ['interests', 'average', 'bestScore', 'coVisit', 'popular', 'blended'] as const) {
      const list = skus(await shop.for('mia', { limit: 50, strategy, fallback: [] }));
      expect(list, strategy).toContain('a2');
      expect(list, strategy).not.toContain('a1');
    }
  });

  test('what is disliked pushes away what is like it', async () => {
    const random = seededRandom(5);
    const leaning = (axis: number, by: number) => near(0, random, 0).map((x, i) => x + (i === axis ? by : 0));
    await db.repo(Product).create({ sku: 'to b', look: leaning(1, 0.6) });
    await db.repo(Product).create({ sku: 'to d', look: leaning(3, 0.7) });
    for (const strategy of ['average', 'bestScore'] as const) {
      const leans = async (): Promise<string[]> => {
        const list = skus(await shop.for('mia', { limit: 60, strategy, fallback: [] }));
        return list.filter((sku) => sku.startsWith('to '));
      };
      await shop.record('mia', 'a0', 'buy');
      expect(await leans(), strategy).toEqual(['to b', 'to d']);
      for (let i = 0; i < 3; i++) await shop.record('mia', `b${i}`, 'dislike');
      expect(await leans(), strategy).toEqual(strategy === 'average' ? ['to d', 'to b'] : ['to b', 'to d']);
      // What is most like what is disliked comes last.
      const all = await shop.for('mia', { limit: 78, strategy, fallback: [] });
      expect(new Set(all.slice(-17).map(({ item }) => item.kind)), strategy).toEqual(new Set(['b']));
      await shop.forget('mia');
    }
  });

  test('diversify gives unlike items, and fills none in from elsewhere', async () => {
    await shop.record('mia', 'a0', 'buy');
    await shop.record('ann', 'c0', 'buy');
    const spread = async (diversify: number): Promise<number> => {
      const list = await shop.for('mia', { limit: 5, diversify });
      expect(list.map(({ source }) => source)).toEqual(Array(5).fill('interests'));
      let likeness = 0;
      const looks = await Promise.all(list.map(async ({ item }) => (await db.repo(Product).vectorOf(item.sku)) ?? []));
      for (const [i, a] of looks.entries()) {
        for (const b of looks.slice(i + 1)) likeness += cosine(a, b);
      }
      return likeness / 10;
    };
    const same = await spread(0);
    expect(await spread(0.9)).toBeLessThan(same - 0.005);
    expect(skus(await shop.for('mia', { limit: 5, diversify: 0.0001 }))).toEqual(
      skus(await shop.for('mia', { limit: 5 })),
    );
  });

  test('diversify chooses among what the first strategy gives, as long as that is enough', async () => {
    await db.repo(Product).create({ sku: 'bare', kind: 'a' });
    await shop.record('ann', 'bare', 'buy');
    await shop.record('mia', 'a0', 'buy');
    const list = await shop.for('mia', { limit: 5, where: { kind: 'a' }, diversify: 0.9 });
    expect(list.map(({ source }) => source)).toEqual(Array(5).fill('interests'));
    const more = await shop.for('mia', { limit: 20, where: { kind: 'a' } });
    expect(more.map(({ item }) => item.sku)).toContain('bare');
  });

  test('what was recorded since the last list counts in the next one', async () => {
    const kinds = async () => new Set((await shop.for('mia')).map(({ item }) => item.kind));
    await shop.record('mia', 'a0', 'view');
    expect(await kinds()).toEqual(new Set(['a']));
    await shop.record('mia', 'b0', 'buy');
    expect(await kinds()).toContain('b');
  });

  test('explore gives some places to items from anywhere, the same for the same seed', async () => {
    for (let i = 0; i < 3; i++) await shop.record('mia', `a${i}`, 'buy');
    const list = (seed: number) => shop.for('mia', { limit: 10, explore: 0.5, seed });
    const one = await list(7);
    expect(one).toHaveLength(10);
    expect(new Set(skus(one)).size).toBe(10);
    expect(skus(await list(7))).toEqual(skus(one));
    const kinds = new Set<string>();
    let explored = 0;
    for (let seed = 0; seed < 20; seed++) {
      for (const { item, source } of await list(seed)) {
        if (source !== 'explore') continue;
        explored++;
        kinds.add(item.kind);
        expect(['a0', 'a1', 'a2']).not.toContain(item.sku);
      }
    }
    // Of 200 places half, to within four standard deviations.
    expect(Math.abs(explored - 100)).toBeLessThan(30);
    expect(kinds.size).toBe(4);
  });

  test('without a seed chance decides, with the order of everything else fixed', async () => {
    await shop.record('mia', 'a0', 'buy');
    const lists = new Set<string>();
    for (let i = 0; i < 10; i++) lists.add(skus(await shop.for('mia', { explore: 0.5 })).join());
    expect(lists.size).toBeGreaterThan(3);
    lists.clear();
    for (let i = 0; i < 10; i++) lists.add(skus(await shop.for('mia')).join());
    expect(lists.size).toBe(1);
  });
});

describe('record', () => {
  test('weights add up and decay by the time of events', async () => {
    await shop.record('mia', 'a0', 'buy', { at: START - 30 * DAY });
    await shop.record('mia', 'a0', 'view', { at: new Date(START) });
    await shop.record('mia', 'b0', 'cart', { at: START - 60 * DAY });
    const { items, newest, user } = await shop.profile('mia');
    expect(user).toBe('mia');
    expect(newest).toEqual(new Date(START));
    expect(items).toEqual([
      { item: 'a0', weight: 5, signal: 'view', at: new Date(START) },
      { item: 'b0', weight: 1, signal: 'cart', at: new Date(START - 60 * DAY) },
    ]);
  });

  test('the clock of the reader changes nothing', async () => {
    await shop.record('mia', 'a0', 'buy');
    await shop.record('mia', 'b0', 'view');
    const before = await shop.profile('mia');
    await clock.advance(365 * DAY);
    expect(await shop.profile('mia')).toEqual(before);
  });

  test('an event from the future is one of now and a little', async () => {
    await shop.record('mia', 'a0', 'buy', { at: START + 1000 * DAY });
    await shop.record('mia', 'b0', 'buy');
    const { items } = await shop.profile('mia');
    expect(items[0]?.at.getTime()).toBeLessThanOrEqual(START + 5 * 60_000 + 1000);
    expect(items[1]?.weight).toBeGreaterThan(7.9);
  });

  test('a key records once, also a second time in another process', async () => {
    const first = await shop.record('mia', 'a0', 'buy', { idempotencyKey: 'order 1' });
    const again = await shop.record('mia', 'a0', 'buy', { idempotencyKey: 'order 1' });
    expect([first, again]).toEqual([
      { replayed: false, counted: true },
      { replayed: true, counted: true },
    ]);
    expect((await shop.profile('mia')).items[0]?.weight).toBe(8);
  });

  test('of a user who does the same time and again popularity counts the strongest signal, once', async () => {
    for (let i = 0; i < 50; i++) await shop.record('mia', 'a0', 'view');
    await shop.record('ann', 'b0', 'view');
    await shop.record('bob', 'b0', 'view');
    expect(skus(await shop.for('cleo'))).toEqual(['b0', 'a0']);
    await shop.record('mia', 'a0', 'buy');
    const list = await shop.for('cleo');
    expect(list.map(({ item, score }) => [item.sku, score])).toEqual([
      ['a0', 0.8],
      ['b0', 0.2],
    ]);
  });

  test('a full profile keeps the heaviest and the latest, and knows the others to be seen', async () => {
    const small = (await startShop(db.store, { clock, seed: 3, history: 8, name: 'small' })).shop;
    await small.record('mia', 'b0', 'dislike', { at: START - 300 * DAY });
    for (let i = 0; i < 6; i++) await small.record('mia', `a${i}`, 'buy', { at: START + i });
    for (let i = 6; i < 16; i++) await small.record('mia', `a${i}`, 'view', { at: START + i });
    const { items } = await small.profile('mia');
    expect(items.map(({ item }) => item).sort()).toEqual(['a0', 'a1', 'a14', 'a15', 'a2', 'a3', 'a4', 'a5']);
    const unseen = skus(await small.for('mia', { limit: 100 }));
    expect(unseen.filter((sku) => sku.startsWith('a')).sort()).toEqual(['a16', 'a17', 'a18', 'a19']);
    expect(unseen).not.toContain('b0');
    // Disliked, and long pushed out.
    const all = skus(await small.for('mia', { limit: 100, exclude: 'rejected' }));
    expect(all).toContain('a7');
    expect(all).not.toContain('b0');
    expect(all).toContain('b1');
  });

  test('an unknown signal is refused, and where asked for an unknown item', async () => {
    const refused = await shop.record('mia', 'a0', 'like' as 'view').catch((error: unknown) => error);
    expect(NorimakiError.is(refused, 'recommend.unknownSignal') && refused.details).toEqual({
      recommender: 'shop',
      known: ['view', 'cart', 'buy', 'dislike', 'shown'],
    });
    const unknown = await shop.record('mia', 'zz', 'view', { mustExist: true }).catch((error: unknown) => error);
    expect(NorimakiError.is(unknown, 'recommend.unknownItem') && unknown.details).toEqual({
      recommender: 'shop',
      entity: 'product',
    });
    expect((await shop.profile('mia')).items).toEqual([]);
    await shop.record('mia', 'zz', 'view');
    expect(skus(await shop.for('mia'))).toEqual([]);
  });

  test('many events are settled one by one, with progress', async () => {
    const told: number[] = [];
    const results = await shop.recordMany(
      [
        { user: 'mia', item: 'a0', signal: 'buy', idempotencyKey: 'k' },
        { user: '', item: 'a0', signal: 'buy' },
        { user: 'ann', item: 'a0', signal: 'nod' as 'buy' },
        { user: 'mia', item: 'a0', signal: 'buy', idempotencyKey: 'k' },
        { user: 'ann', item: 'a1', signal: 'view' },
      ],
      { onProgress: ({ done, failed, total }) => told.push(done, failed, total) },
    );
    expect(results.map((result) => (result.ok ? result.value.replayed : result.error.code))).toEqual([
      false,
      'argument.invalid',
      'recommend.unknownSignal',
      true,
      false,
    ]);
    expect(told).toEqual([4, 2, 5, 5, 2, 5]);
  });
});

describe('similar', () => {
  test('gives items like one, itself left out', async () => {
    const list = await shop.similar('a0', { limit: 5 });
    expect(list.map(({ item }) => item.kind)).toEqual(['a', 'a', 'a', 'a', 'a']);
    expect(skus(list)).not.toContain('a0');
    expect(list[0]?.source).toBe('content');
  });

  test('by who likes it, filled up by content', async () => {
    await shop.recordMany(['a0', 'c0'].map((item) => ({ user: 'ann', item, signal: 'buy' as const })));
    const list = await shop.similar('a0', { limit: 3, strategy: 'coVisit' });
    expect(list.map(({ item, source }) => [item.kind, source])).toEqual([
      ['c', 'coVisit'],
      ['a', 'content'],
      ['a', 'content'],
    ]);
    expect(skus(await shop.similar('c0', { limit: 1, strategy: 'coVisit' }))).toEqual(['a0']);
    const both = await shop.similar('a0', { limit: 30, strategy: 'blended' });
    expect(new Set(both.map(({ source }) => source))).toEqual(new Set(['blended']));
    expect(skus(both)).toContain('c0');
  });

  test('of an item without a vector gives what was liked with it', async () => {
    await db.repo(Product).create({ sku: 'bare' });
    await shop.recordMany(['bare', 'c0'].map((item) => ({ user: 'ann', item, signal: 'buy' as const })));
    expect(skus(await shop.similar('bare'))).toEqual(['c0']);
  });

  test.each(['content', 'coVisit', 'blended'] as const)('of an unknown item is an error, by %s', async (strategy) => {
    await expect(shop.similar('zz', { strategy })).rejects.toMatchObject({ code: 'recommend.unknownItem' });
  });

  describe('for a user', () => {
    /** `edge` is between the axes of a and b; what is like it lies towards both. */
    beforeEach(async () => {
      const between = (share: number) => Float32Array.of(share, 1 - share, 0, 0, 0, 0, 0, 0);
      await db.repo(Product).create({ sku: 'edge', look: between(0.5) });
      for (let i = 1; i <= 5; i++) {
        await db.repo(Product).create({ sku: `toA${i}`, look: between(0.5 + i / 50) });
        await db.repo(Product).create({ sku: `toB${i}`, look: between(0.5 - i / 50) });
      }
    });

    test('prefers what is like the interest that the item belongs to', async () => {
      for (let i = 0; i < 3; i++) {
        await shop.record('mia', `a${i}`, 'buy');
        await shop.record('bob', `b${i}`, 'buy');
      }
      // Most of what they like, and nothing that the item has to do with.
      for (let i = 0; i < 5; i++) for (const user of ['mia', 'bob']) await shop.record(user, `d${i}`, 'buy');
      const near = async (user?: string) => skus(await shop.similar('edge', { limit: 5, user })).sort();
      expect(await near('mia')).toEqual(['toA1', 'toA2', 'toA3', 'toA4', 'toA5']);
      expect(await near('bob')).toEqual(['toB1', 'toB2', 'toB3', 'toB4', 'toB5']);
      const nobody = await near();
      expect(nobody.filter((sku) => sku.startsWith('toA')).length).toBeGreaterThan(1);
      expect(nobody.filter((sku) => sku.startsWith('toB')).length).toBeGreaterThan(1);
      // Whose tastes the item has nothing to do with, and of whom nothing is known, are told the same as nobody.
      await shop.record('tom', 'd0', 'buy');
      expect(await near('tom')).toEqual(nobody);
      expect(await near('who')).toEqual(nobody);
    });

    test.each(['content', 'coVisit', 'blended'] as const)(
      'by %s, what they have met does not come',
      async (strategy) => {
        await shop.recordMany(
          ['ann', 'cleo'].flatMap((user) =>
            ['edge', 'toA1', 'toB1', 'c0'].map((item) => ({ user, item, signal: 'buy' as const })),
          ),
        );
        await shop.record('mia', 'toA1', 'buy');
        await shop.record('mia', 'c0', 'dislike');
        const options = { limit: 100, strategy, user: 'mia' };
        const unseen = skus(await shop.similar('edge', options));
        expect(unseen).toContain('toB1');
        expect(unseen.filter((sku) => ['edge', 'toA1', 'c0'].includes(sku))).toEqual([]);
        const rest = skus(await shop.similar('edge', { ...options, exclude: 'rejected', except: ['toB1'] }));
        expect(rest.filter((sku) => ['edge', 'toA1', 'toB1', 'c0'].includes(sku))).toEqual(['toA1']);
      },
    );

    test('an item that is gone is unknown, though its vector is remembered', async () => {
      await shop.record('mia', 'a0', 'buy');
      await shop.similar('edge', { user: 'mia' });
      await db.repo(Product).delete('edge');
      await expect(shop.similar('edge', { user: 'mia' })).rejects.toMatchObject({ code: 'recommend.unknownItem' });
    });

    test('an item without a vector leads to what is liked with it', async () => {
      await db.repo(Product).create({ sku: 'plain' });
      for (const item of ['plain', 'c0']) await shop.record('ann', item, 'buy');
      await shop.record('mia', 'a0', 'buy');
      expect(skus(await shop.similar('plain', { user: 'mia' }))).toEqual(['c0']);
    });
  });
});

describe('forget', () => {
  test('leaves nothing of the user', async () => {
    await shop.record('mia', 'a0', 'buy', { idempotencyKey: 'k' });
    expect(await shop.forget('mia')).toBe(true);
    expect(await shop.forget('mia')).toBe(false);
    expect(await shop.profile('mia')).toEqual({ user: 'mia', newest: undefined, items: [], interests: [] });
    expect((await shop.for('mia'))[0]?.source).toBe('popular');
  });
});

describe('bad input', () => {
  test.each([
    [{ name: '' }, 'name'],
    [{ signals: {} }, 'signals'],
    [{ signals: { view: Number.NaN } }, 'signals'],
    [{ halfLife: 0 }, 'halfLife'],
    [{ interests: 0 }, 'interests'],
    [{ history: 7 }, 'history'],
    [{ seen: -1 }, 'seen'],
    [{ strategy: 'best' }, 'strategy'],
    [{ fallback: 'popular' }, 'fallback'],
    [{ popular: false, fallback: ['popular'] }, 'fallback'],
    [{ coVisit: { window: 21 } }, 'window'],
    [{ popular: { shards: 65 } }, 'shards'],
    [{ embedding: 'sound' }, 'embedding'],
  ])('a recommender of %o is refused for its %s', (options, argument) => {
    const made = { name: 'x', signals: { view: 1 }, ...options } as never;
    expect(() => new Recommender(db, Product, made)).toThrow(
      expect.objectContaining({ code: 'argument.invalid', details: { argument } }),
    );
  });

  test.each([
    [{ limit: 0 }, 'limit'],
    [{ limit: 201 }, 'limit'],
    [{ diversify: 2 }, 'diversify'],
    [{ explore: -1 }, 'explore'],
    [{ seed: 0.5 }, 'seed'],
    [{ exclude: 'nothing' }, 'exclude'],
    [{ filter: true }, 'filter'],
    [{ where: { colour: 'red' } }, 'where'],
  ])('a list with %o is refused for its %s', async (options, argument) => {
    await shop.record('mia', 'a0', 'buy');
    await expect(shop.for('mia', options as never)).rejects.toMatchObject({
      code: 'argument.invalid',
      details: { argument },
    });
  });

  test('a user without a name, a time that is none and an empty key are refused', async () => {
    await expect(shop.for('')).rejects.toMatchObject({ details: { argument: 'user' } });
    await expect(shop.record('mia', 'a0', 'buy', { at: Number.NaN })).rejects.toMatchObject({
      details: { argument: 'at' },
    });
    await expect(shop.record('mia', 'a0', 'buy', { idempotencyKey: '' })).rejects.toMatchObject({
      details: { argument: 'idempotencyKey' },
    });
  });

  test('every call honours its signal', async () => {
    await shop.record('mia', 'a0', 'buy');
    const signal = AbortSignal.abort();
    const calls = [
      () => shop.record('mia', 'a0', 'buy', { signal }),
      () => shop.for('mia', { signal }),
      () => shop.similar('a0', { signal }),
      () => shop.profile('mia', { signal }),
      () => shop.forget('mia', { signal }),
      () => shop.evaluate([{ user: 'mia', item: 'a0', signal: 'buy' }], { signal }),
    ];
    for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'aborted' });
    const results = await shop.recordMany([{ user: 'mia', item: 'a0', signal: 'buy' }], { signal });
    expect(results).toMatchObject([{ ok: false, error: { code: 'aborted' } }]);
    expect((await shop.profile('mia')).items[0]?.weight).toBe(8);
  });
});

describe('evaluate', () => {
  test('interests find what two tastes lead to, where the halving mean finds the last one only; nothing is written', async () => {
    const history = Array.from({ length: 8 }, (_, u) =>
      // The last item is of the taste that was not the last one.
      ['a', 'b', 'a', 'b', 'b', 'b', 'a'].map((kind, n) => ({
        user: `u${u}`,
        item: `${kind}${(u + 3 * n) % 20}`,
        signal: 'buy' as const,
        at: START - (10 - n) * DAY,
      })),
    ).flat();
    const told: number[] = [];
    const { users, items, quality } = await shop.evaluate(history, {
      k: [10, 1],
      strategies: ['interests'],
      onProgress: ({ done }) => told.push(done),
    });
    expect([users, items]).toEqual([8, new Set(history.map(({ item }) => item)).size]);
    expect(told).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    const recall = (name: 'interests' | 'halving' | 'popular'): number => quality.get(name)?.get(10)?.recall ?? 0;
    expect(recall('interests')).toBeGreaterThan(0.1);
    expect(recall('halving')).toBe(0);
    const best = quality.get('interests')?.get(10);
    expect(best?.ndcg).toBeLessThan(best?.recall ?? 0);
    expect(best?.coverage).toBeLessThanOrEqual(1);
    expect((await shop.profile('u0')).items).toEqual([]);
    expect(await shop.for('new')).toEqual([]);
  });
});

test('an item that is left out is also left out where it was met before', async () => {
  const history = (['a5', 'a0', 'a5'] as const).map((item, n) => ({
    user: 'mia',
    item,
    signal: 'buy' as const,
    at: START + n,
  }));
  const { quality } = await shop.evaluate(history, { k: [19] });
  expect(quality.get('interests')?.get(19)?.recall).toBe(1);
});

test('an entity without an embedding, and a store without what it takes, are refused in a sentence', async () => {
  const Bare = defineEntity('bare', z.object({ id: z.string() }), { id: 'id' });
  expect(() => new Recommender(db, Bare, { name: 'x', signals: { view: 1 } })).toThrow(/no @Embedding/);
});

function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [product, normA, normB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] ?? 0, b[i] ?? 0];
    product += x * y;
    normA += x * x;
    normB += y * y;
  }
  return product / Math.sqrt(normA * normB);
}
