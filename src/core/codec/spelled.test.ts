import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { instantOf, numberOf } from './spelled.ts';

/** A text with one character of it replaced. */
function damaged(text: string, at: number, char: string): string {
  const place = at % text.length;
  return text.slice(0, place) + char + text.slice(place + 1);
}

describe('instantOf', () => {
  test('gives the days up to the 28th in years 0 to 9999, and leaves the rest to Date', () => {
    const day = new Date(Date.UTC(2000, 0, 1, 23, 59, 58, 987));
    day.setUTCFullYear(0);
    for (; day.getUTCFullYear() < 10_000; day.setUTCDate(day.getUTCDate() + 23)) {
      const expected = day.getUTCDate() <= 28 ? day.getTime() : undefined;
      const text = day.toISOString();
      // There are 150,000 of them.
      if (instantOf(text) !== expected) expect.fail(text);
    }
  });

  test('never disagrees with Date', () => {
    const dates = fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
    const char = fc.oneof(fc.constantFrom(...'0123456789-+:.TZtz/ '), fc.string({ minLength: 1, maxLength: 1 }));
    const texts = fc.oneof(
      dates,
      fc.tuple(dates, fc.nat(), char).map(([text, at, other]) => damaged(text, at, other)),
      fc.string(),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const instant = instantOf(text);
        if (instant !== undefined) expect(instant).toBe(Date.parse(text));
      }),
      { numRuns: 5000 },
    );
  });
});

test('numberOf gives what JSON.parse does', () => {
  const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,20})(\.\d{1,20})?([eE][+-]?\d{1,3})?$/);
  const few = fc.stringMatching(/^-?(0|[1-9]\d{0,7})(\.\d{1,7})?$/);
  const numbers = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value));
  fc.assert(
    fc.property(fc.oneof(few, digits, numbers), (text) => {
      expect(numberOf(text)).toBe(JSON.parse(text));
    }),
    {
      numRuns: 5000,
      examples: [['-0'], ['-0.0'], ['0'], ['999999999999999'], ['0.0000000000001'], ['9007199254740993']],
    },
  );
});
