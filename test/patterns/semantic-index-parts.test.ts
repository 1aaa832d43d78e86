import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Seen } from '../../src/patterns/semantic-index/cursor.ts';
import { keyOf } from '../../src/patterns/semantic-index/entity-key.ts';
import { fuse } from '../../src/patterns/semantic-index/fuse.ts';
import { defaultAnalyzer } from '../../src/patterns/semantic-index/lexical/analyzer.ts';
import { auditWords } from '../../src/patterns/semantic-index/lexical/audit.ts';
import { InvertedIndex } from '../../src/patterns/semantic-index/lexical/inverted-index.ts';
import { WordIndex } from '../../src/patterns/semantic-index/lexical/word-index.ts';
import type { Ranked } from '../../src/patterns/semantic-index/ranked.ts';
import { repositoryScore, unitScore } from '../../src/patterns/semantic-index/score.ts';
import { type Inside, insideOf } from '../../src/repositories/internal.ts';
import { article, searchWorld, startSearch } from './support/semantic-indexes.ts';

const ranked = (...keys: string[]): Ranked[] => keys.map((key, i) => ({ key, entity: { key }, score: 1 - i / 10 }));

test('two lists are one by weighted reciprocal ranks', () => {
  const fused = fuse(ranked('a', 'b', 'c'), ranked('c', 'd'), 0.25);
  const expected = {
    a: 0.75,
    b: (0.75 * 61) / 62,
    c: (0.75 * 61) / 63 + 0.25,
    d: (0.25 * 61) / 62,
  };
  expect(fused.map(({ key }) => key)).toEqual(['c', 'a', 'b', 'd']);
  for (const { key, score } of fused) expect(score).toBeCloseTo(expected[key as keyof typeof expected], 12);
  expect(fused[0]?.why).toEqual({ vector: { rank: 3, score: 0.8 }, lexical: { rank: 1, score: 1, terms: [] } });
  expect(fuse(ranked('a'), ranked('a'), 0.4)[0]?.score).toBeCloseTo(1, 12);
});

test('of one list the scores stay', () => {
  expect(fuse(ranked('a', 'b'), undefined, 0).map(({ score }) => score)).toEqual([1, 0.9]);
  expect(fuse(undefined, ranked('a', 'b'), 1).map(({ score }) => score)).toEqual([1, 0.9]);
});

test('who is ahead in both lists is ahead, and nobody is lost or doubled', () => {
  const keys = fc.uniqueArray(fc.integer({ min: 0, max: 20 }).map(String), { maxLength: 15 });
  fc.assert(
    fc.property(keys, keys, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (a, b, weight) => {
      const order = fuse(ranked(...a), ranked(...b), weight).map(({ key }) => key);
      expect([...order].sort()).toEqual([...new Set([...a, ...b])].sort());
      const both = a.filter((key) => b.includes(key));
      for (const one of both) {
        for (const other of both) {
          if (a.indexOf(one) < a.indexOf(other) && b.indexOf(one) < b.indexOf(other)) {
            expect(order.indexOf(one)).toBeLessThan(order.indexOf(other));
          }
        }
      }
    }),
  );
});

test('scores are from 0 to 1 for every metric, in the order of the repository, and back', () => {
  const any = fc.double({ min: -50, max: 50, noNaN: true });
  for (const metric of ['cosine', 'euclidean', 'innerProduct'] as const) {
    fc.assert(
      fc.property(any, any, (x, y) => {
        const [a, b] = [unitScore(metric, x), unitScore(metric, y)];
        expect(a).toBeGreaterThanOrEqual(0);
        expect(a).toBeLessThanOrEqual(1);
        if (x < y) expect(a).toBeLessThanOrEqual(b);
      }),
    );
    for (const unit of [0.1, 0.5, 0.9]) {
      expect(unitScore(metric, repositoryScore(metric, unit) ?? Number.NaN)).toBeCloseTo(unit, 12);
    }
    expect(repositoryScore(metric, 0)).toBeUndefined();
  }
});

test('a cursor tells what was seen, and of which query', () => {
  const first = new Seen('s', ['q', 1n], undefined);
  expect([first.size, first.has('a')]).toEqual([0, false]);
  const second = new Seen('s', ['q', 1n], first.next(['a', 'b']));
  expect([second.size, second.has('a'), second.has('b'), second.has('c')]).toEqual([2, true, true, false]);
  expect(new Seen('s', ['q', 1n], second.next(['c'])).has('a')).toBe(true);
  expect(() => new Seen('s', ['q', 2n], first.next(['a']))).toThrow(/another query/);
});

test('an index of words finds as many as hold them after any changes, and cleans up what is gone', async () => {
  const index = new InvertedIndex({ text: 1 }, defaultAnalyzer, new Set());
  const texts = new Map<string, string>();
  for (let i = 0; i < 3000; i++) {
    const key = `k${(i * 7) % 150}`;
    const text = `word${i % 5} w${i % 11}`;
    if (i % 4 === 3) {
      index.delete(key);
      texts.delete(key);
    } else {
      index.set(key, { text: [text] });
      texts.set(key, text);
    }
    if (i % 100 !== 0) continue;
    await new Promise((resolve) => setTimeout(resolve, 2));
    const found = index.search(['word1']).map(({ key: one }) => one);
    const having = [...texts].filter(([, one]) => one.split(' ').includes('word1')).map(([one]) => one);
    expect(found.sort()).toEqual(having.sort());
  }
  expect(index.documents).toBe(texts.size);
  await index.close();
  expect(index.documents).toBe(0);
});

test('an audit tells what is newer from what is wrong, and mends that only if it is told to', async () => {
  const { store, clock } = await searchWorld();
  const { articles } = await startSearch(store, { clock });
  for (const id of ['a', 'b', 'c']) await articles.create(article(id, 'seaweed'));
  // It came from db.repo().
  const inside = insideOf(articles) as Inside;
  const words = new WordIndex(inside, ['title'], new InvertedIndex({ title: 1 }, defaultAnalyzer, new Set()));
  const { signal } = new AbortController();
  await words.rescan(signal, () => {});
  expect(await auditWords(words, {})).toEqual({ checked: 3, behind: 0, wrong: 0, fixed: 0 });
  const found = (term: string): number => words.search([term], 10).count;
  // Its words are lost, and another has words of nothing.
  words.inverted.delete(keyOf(['a']));
  words.inverted.set(keyOf(['stray']), { title: ['seaweed'] });
  await articles.put(article('b', 'rice'));
  expect(await auditWords(words, {})).toEqual({ checked: 3, behind: 1, wrong: 2, fixed: 0 });
  expect([found('seaweed'), found('rice')]).toEqual([2, 1]);
  expect(await auditWords(words, { fix: true })).toEqual({ checked: 3, behind: 0, wrong: 2, fixed: 2 });
  expect(await auditWords(words, {})).toEqual({ checked: 3, behind: 0, wrong: 0, fixed: 0 });
  expect([found('seaweed'), found('rice')]).toEqual([2, 1]);
});
