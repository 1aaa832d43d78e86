import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyCharacter, anyGrapheme } from '../../../../test/support/any-character.ts';
import { jaccard } from '../../shared/jaccard.ts';
import { settingsOf } from '../settings.ts';
import { bucketsOf, Fingerprint } from './fingerprint.ts';
import { bandsOf, missProbability } from './min-hash.ts';
import { normalize } from './normalize.ts';
import { sharedPassages } from './passages.ts';
import { shinglesOf, wordsOf } from './words.ts';

const settings = settingsOf({ name: 'd', text: ['text'], near: {} });

test('case, white space, Unicode form and invisible characters do not count', () => {
  const same = ['Straße  ﬁnal ΟΔΟΣ', ' STRASSE\tfinal\nοδοσ', 'stra\u00ADße fi\u200Bnal οδος'];
  expect(new Set(same.map((text) => normalize(text)))).toEqual(new Set(['strasse final οδος']));
  expect(normalize('é')).toBe(normalize('e\u0301'));
});

test('what is normalized stays as it is', () => {
  const isStable = (text: string): boolean => {
    const once = normalize(text);
    return once === text || normalize(once) === once;
  };
  const isCharacter = /\P{Cn}/u;
  // Beyond it nothing is a character but those from 0xe0000 on.
  const last = 0x3ffff;
  for (let point = 0; point < 0xe1000; point = point === last ? 0xe0000 : point + 1) {
    const char = String.fromCodePoint(point);
    if (isCharacter.test(char) && !isStable(char)) expect.fail(`U+${point.toString(16)}`);
  }
  fc.assert(fc.property(fc.string({ unit: anyGrapheme }), isStable), { numRuns: 1000 });
  fc.assert(fc.property(fc.string({ unit: anyCharacter }), isStable), { numRuns: 1000 });
});

test('a word is a run of letters and digits, and each character where words have no spaces', () => {
  expect(wordsOf('the 2nd, well-known: naïve')).toEqual(['the', '2nd', 'well', 'known', 'naïve']);
  expect(wordsOf('nori海苔です')).toEqual(['nori', '海', '苔', 'で', 'す']);
  expect(shinglesOf(['a', 'b', 'c'], 2)).toEqual(['a b', 'b c']);
  expect(shinglesOf(['a'], 3)).toEqual(['a']);
  expect(shinglesOf([], 3)).toEqual([]);
});

test('the same words in other fields are another text', () => {
  const hash = (fields: string[]) => new Fingerprint(fields, settings).hash;
  expect(hash(['a b', 'c'])).not.toBe(hash(['a', 'b c']));
  expect(hash(['A  b', 'c'])).toBe(hash(['a b', 'C']));
  const verbatim = settingsOf({ name: 'd', text: ['text'], exact: 'verbatim' });
  expect(new Fingerprint(['A'], verbatim).hash).not.toBe(new Fingerprint(['a'], verbatim).hash);
});

test('a text without words is in no bucket', () => {
  expect(bucketsOf(new Fingerprint(['?!…'], settings), settings)).toEqual([]);
  expect(jaccard(new Set(), new Set())).toBe(0);
});

test('passages that two texts share are told, the longest first', () => {
  const words = wordsOf('one two three four x five six seven y eight nine ten eleven twelve');
  const other = new Set(shinglesOf(wordsOf('eight nine ten eleven twelve - five six seven - one two three four'), 3));
  const passages = sharedPassages(words, shinglesOf(words, 3), other, 3);
  expect(passages).toEqual(['eight nine ten eleven twelve', 'one two three four', 'five six seven']);
  const long = wordsOf('word '.repeat(200));
  const [cut = ''] = sharedPassages(long, shinglesOf(long, 3), new Set(shinglesOf(long, 3)), 3);
  expect([cut.length, cut.at(-1)]).toEqual([200, '…']);
});

// The likelihood that a right implementation fails a row is below one in ten thousand; its numbers are the same every time.
test.each([
  { both: 45, either: 50, bands: 16, rows: 8 },
  { both: 40, either: 50, bands: 16, rows: 8 },
  { both: 25, either: 50, bands: 16, rows: 8 },
  { both: 40, either: 50, bands: 8, rows: 8 },
  { both: 30, either: 50, bands: 20, rows: 4 },
])(
  'of pairs with $both of $either in common as many are missed as the formula says',
  ({ both, either, bands, rows }) => {
    const pairs = 1500;
    const only = (either - both) / 2;
    let missed = 0;
    for (let pair = 0; pair < pairs; pair++) {
      const items = (kind: string, count: number) => Array.from({ length: count }, (_, i) => `${pair} ${kind} ${i}`);
      const shared = items('both', both);
      const one = bandsOf(new Set([...shared, ...items('one', Math.ceil(only))]), { bands, rows });
      const other = bandsOf(new Set([...shared, ...items('other', Math.floor(only))]), { bands, rows });
      if (!one.some((name, band) => name === other[band])) missed++;
    }
    const expected = missProbability(both / either, { bands, rows });
    const deviation = Math.sqrt((expected * (1 - expected)) / pairs);
    expect(Math.abs(missed / pairs - expected)).toBeLessThan(4 * deviation + 2 / pairs);
  },
);
