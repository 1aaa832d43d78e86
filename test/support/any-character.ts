import fc from 'fast-check';

const CODE_POINTS = 0x110000;
const SURROGATES = { first: 0xd800, count: 0x800 };

/** Of ASCII as often as of all. The same as fast-check's `'binary'`, whose table of them takes a second to make. */
export const anyCharacter: fc.Arbitrary<string> = fc
  .oneof(fc.nat({ max: 0x7f }), fc.nat({ max: CODE_POINTS - SURROGATES.count - 1 }))
  .map((n) => String.fromCodePoint(n < SURROGATES.first ? n : n + SURROGATES.count));

/** What a reader takes for one character: it may have marks, or be joined to another. */
export const anyGrapheme: fc.Arbitrary<string> = fc
  .tuple(anyCharacter, fc.constantFrom('', '\u0301', '\u0308\u0327', '\ufe0f', '\u200d🍣'))
  .map((parts) => parts.join(''));
