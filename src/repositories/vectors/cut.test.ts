import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyGrapheme } from '../../../test/support/any-character.ts';
import { isLong } from '../../../test/support/campaign.ts';
import { cut } from './cut.ts';

const textsOf = (text: string, size: number, overlap = 0): string[] =>
  cut(text, { size, overlap }).map((passage) => passage.text);

describe('a text is cut', () => {
  test('not at all where it fits, without the blanks around it', () => {
    expect(cut('  green tea \n', { size: 16, overlap: 8 })).toEqual([
      { text: 'green tea', index: 0, start: 2, end: 11 },
    ]);
    expect(cut(' \n', { size: 16, overlap: 0 })).toEqual([]);
  });

  test('where a paragraph ends, else a sentence, else a word, else anywhere', () => {
    expect(textsOf('One two. Three.\n\nFour five six seven.', 24)).toEqual(['One two. Three.', 'Four five six seven.']);
    expect(textsOf('One two three four. Five six seven.', 24)).toEqual(['One two three four.', 'Five six seven.']);
    expect(textsOf('one two three four five six seven', 20)).toEqual(['one two three four', 'five six seven']);
    expect(textsOf('x'.repeat(40), 16)).toEqual(['x'.repeat(16), 'x'.repeat(16), 'x'.repeat(8)]);
    expect(textsOf('緑茶は美味しい。海苔は紙のようだ。', 16)).toEqual(['緑茶は美味しい。', '海苔は紙のようだ。']);
  });

  test('not where too little would be left of a passage', () => {
    expect(textsOf('A.\n\nBcd efg hij klm nop qrs', 20)[0]).toBe('A.\n\nBcd efg hij klm');
  });

  test('with an overlap that begins with a word', () => {
    expect(textsOf('one two three four five six seven eight', 20, 9)).toEqual([
      'one two three four',
      'four five six seven',
      'six seven eight',
    ]);
  });

  test('never inside of what is seen as one character', () => {
    const family = '👩‍👩‍👧‍👦';
    expect(textsOf(family.repeat(4), 16)).toEqual([family, family, family, family]);
    const tall = `e${'\u0301'.repeat(40)}`;
    expect(textsOf(`${tall}${tall}`, 16)).toEqual([tall, tall]);
    const onBlank = ` \u0301`;
    expect(textsOf(`${onBlank}abc`, 16)).toEqual([`${onBlank}abc`]);
  });
});

test('every text is covered, in order, by passages that are whole and not too long', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '. ',
      '\n\n',
      '\r\n',
      ' ',
      '! ',
      '。',
      '👩‍👩‍👧‍👦',
      'e\u0301',
      ' \u0301',
      '🇳🇱',
      'क्षि',
      '\u0e2a\u0e27\u0e31',
    ),
    fc.lorem({ maxCount: 4 }),
    fc.string({ unit: anyGrapheme, maxLength: 8 }),
  );
  const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 60 }),
      fc.integer({ min: 16, max: 60 }),
      fc.double({ min: 0, max: 0.5, noNaN: true }),
      (pieces, size, share) => {
        const text = pieces.join('').toWellFormed();
        const overlap = Math.floor(size * share);
        const passages = cut(text, { size, overlap });
        const graphemes = Array.from(segmenter.segment(text), ({ index, segment }) => ({
          from: index,
          to: index + segment.length,
        }));
        const starts = new Set([...graphemes.map(({ from }) => from), text.length]);
        let end = 0;
        for (const [i, passage] of passages.entries()) {
          expect(passage.index).toBe(i);
          expect(text.slice(passage.start, passage.end)).toBe(passage.text);
          expect(passage.text.trim()).not.toBe('');
          expect(starts.has(passage.start) && starts.has(passage.end)).toBe(true);
          const isOne = graphemes.some(
            ({ from, to }) => to - from > size - overlap && from < passage.end && to > passage.start,
          );
          if (!isOne) expect(passage.end - passage.start).toBeLessThanOrEqual(size);
          expect(text.slice(end, passage.start).trim()).toBe('');
          expect(end - passage.start).toBeLessThanOrEqual(overlap);
          expect(passage.end).toBeGreaterThan(end);
          end = passage.end;
        }
        expect(text.slice(end).trim()).toBe('');
        expect(passages.length).toBeLessThanOrEqual(1 + 2 * Math.ceil(text.length / ((size - overlap) / 2)));
        expect(cut(text, { size, overlap })).toEqual(passages);
      },
    ),
    { numRuns: isLong ? 20_000 : 500, seed: 20_260_101 },
  );
});
