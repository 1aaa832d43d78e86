import type { Analyzer } from '../types.ts';

/** Scripts that put no spaces between their words. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
const SEPARATORS = /[^\p{L}\p{N}\p{M}]+/u;
const NOT_ASCII = /[^\0-\x7f]/;

const segmenter = new Intl.Segmenter('und', { granularity: 'word' });

/** Words of any script, in lower case and without accents. */
export const defaultAnalyzer: Analyzer = {
  id: 'words@1',
  terms: (text) => {
    const folded = (NOT_ASCII.test(text) ? withoutAccents(text) : text).toLowerCase();
    const terms = UNSPACED.test(folded) ? segments(folded) : folded.split(SEPARATORS);
    return terms.filter((term) => term !== '');
  },
};

/** Put together again after that: in scripts without accents marks are more than ornament. */
function withoutAccents(text: string): string {
  return text
    .normalize('NFKD')
    .replace(/(?<=\p{sc=Latin}|\p{sc=Greek}|\p{sc=Cyrillic})\p{M}+/gu, '')
    .normalize('NFC');
}

function segments(text: string): string[] {
  return Array.from(segmenter.segment(text), ({ segment, isWordLike }) => (isWordLike === true ? segment : ''));
}
