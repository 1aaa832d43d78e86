import fc from 'fast-check';
import { expect, test } from 'vitest';
import { anyCharacter } from '../../../test/support/any-character.ts';
import { compareIds, nearest } from './order.ts';

const id = fc.string({
  unit: fc.constantFrom('', '\0', 'a', 'b', '\ud7ff', '\ue000', '\uffee', '\u{10000}', '\u{10ffff}'),
});

test('ids are in the order of their UTF-8 bytes', () => {
  fc.assert(
    fc.property(
      fc.oneof(id, fc.string({ unit: anyCharacter })),
      fc.oneof(id, fc.string({ unit: anyCharacter })),
      (a, b) => {
        expect(Math.sign(compareIds(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      },
    ),
    { numRuns: 2000 },
  );
});

test('the nearest are the first of all in order, whatever the order in which they come', () => {
  const match = fc.record({ id, distance: fc.constantFrom(0, 1, 1.5, 2, 7) });
  const all = fc.uniqueArray(match, { maxLength: 30, selector: (one) => one.id });
  fc.assert(
    fc.property(all, fc.integer({ min: 1, max: 35 }), (matches, k) => {
      const expected = matches
        .toSorted((a, b) => a.distance - b.distance || Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)))
        .slice(0, k);
      expect(nearest(matches, k)).toEqual(expected);
    }),
  );
});
