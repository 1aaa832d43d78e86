import type { Chunking } from '../../core/model/model.ts';

/** A part of a text that has a vector of its own. */
export interface Passage {
  readonly text: string;
  /** Which of the passages of its text, from 0. */
  readonly index: number;
  /** Where it begins and ends in the text that `from` makes: `text.slice(start, end)`. */
  readonly start: number;
  readonly end: number;
}

/** The end of a blank line, where the next paragraph begins. */
const PARAGRAPH = /\n[^\S\n]*\n\s*/g;

// A locale that is always there: the default one is that of the machine.
const segmenters = {
  sentence: new Intl.Segmenter('en', { granularity: 'sentence' }),
  word: new Intl.Segmenter('en', { granularity: 'word' }),
  grapheme: new Intl.Segmenter('en', { granularity: 'grapheme' }),
};

type Granularity = keyof typeof segmenters;

/** The boundaries of one text, looked up where they are asked for. */
class Boundaries {
  readonly #text: string;
  readonly #segments = new Map<Granularity, Intl.Segments>();
  #paragraphs: number[] | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** The last one at or before `to`. */
  before(granularity: Granularity, to: number): number {
    return to >= this.#text.length ? this.#text.length : (this.#of(granularity).containing(to)?.index ?? 0);
  }

  /** The first one at or behind `from`. */
  behind(granularity: Granularity, from: number): number {
    const found = from >= this.#text.length ? undefined : this.#of(granularity).containing(from);
    if (found === undefined) return this.#text.length;
    return found.index === from ? from : found.index + found.segment.length;
  }

  /** Where the last paragraph begins that begins at or before `to`. */
  paragraph(to: number): number {
    this.#paragraphs ??= Array.from(this.#text.matchAll(PARAGRAPH), ({ index, 0: { length } }) => index + length);
    return this.#paragraphs.findLast((at) => at <= to) ?? 0;
  }

  #of(granularity: Granularity): Intl.Segments {
    let found = this.#segments.get(granularity);
    if (found === undefined) {
      found = segmenters[granularity].segment(this.#text);
      this.#segments.set(granularity, found);
    }
    return found;
  }
}

/**
 * Cuts a text into passages of at most `size` UTF-16 code units, each but the first beginning with up to `overlap` of the
 * one before. Cuts where a paragraph, else a sentence, else a word ends, as long as a passage brings half of what it could;
 * never inside of a grapheme, which alone may make a passage longer. Blank ones are left out, blanks around one too.
 *
 * The same text gives the same passages wherever the tables of Unicode are the same; see `cutsOf`.
 */
export function cut(text: string, { size, overlap }: Chunking): Passage[] {
  const boundaries = new Boundaries(text);
  const passages: Passage[] = [];
  for (let start = 0; start < text.length; ) {
    const end = text.length - start <= size ? text.length : endOf(boundaries, start, size, overlap);
    const found = trimmed(boundaries, text, start, end);
    // Behind what it shares with the one before there may be blanks alone.
    const isNew = found !== undefined && found.end > (passages.at(-1)?.end ?? 0);
    if (isNew) passages.push({ ...found, index: passages.length });
    if (end === text.length) break;
    start = startOf(boundaries, end, overlap);
  }
  return passages;
}

function endOf(boundaries: Boundaries, start: number, size: number, overlap: number): number {
  const most = start + size;
  // Or the next passage might bring nothing new.
  const least = start + overlap + Math.ceil((size - overlap) / 2);
  const candidates = [
    () => boundaries.paragraph(most),
    () => boundaries.before('sentence', most),
    () => boundaries.before('word', most),
    () => most,
  ];
  for (const candidate of candidates) {
    const at = boundaries.before('grapheme', candidate());
    if (at >= least) return at;
  }
  // A character takes more than half: the passage ends before it, if it then brings anything at all.
  const at = boundaries.before('grapheme', most);
  return at > start + overlap ? at : boundaries.behind('grapheme', most);
}

function startOf(boundaries: Boundaries, end: number, overlap: number): number {
  if (overlap === 0) return end;
  const at = boundaries.behind('grapheme', boundaries.behind('word', end - overlap));
  return Math.min(at, end);
}

function trimmed(boundaries: Boundaries, text: string, from: number, to: number) {
  const part = text.slice(from, to);
  const [first, last] = [to - part.trimStart().length, from + part.trimEnd().length];
  if (first >= last) return undefined;
  // A blank can be the base of a grapheme.
  const start = Math.max(from, boundaries.before('grapheme', first));
  const end = Math.min(to, boundaries.behind('grapheme', last));
  return { text: text.slice(start, end), start, end };
}
