import fc from 'fast-check';
import { expect, test } from 'vitest';
import { endOf, endRingForm, withEnd } from '../../src/patterns/inventory/end-ring.ts';

test('a ring of ends remembers the last so many, each with its number, and no others', () => {
  const entry = fc.tuple(fc.integer({ min: 0, max: 20 }), fc.integer({ min: 1, max: 2 ** 36 - 1 }));
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 12 }), fc.integer({ min: 1, max: 6 }), (entries, size) => {
      let ring = '';
      for (const [name, n] of entries) ring = withEnd(ring, `hold ${name}`, n, size);
      expect(ring).toMatch(endRingForm(size));
      const left = new Map(entries.slice(-size));
      for (let name = 0; name <= 20; name++) expect(endOf(ring, `hold ${name}`)).toBe(left.get(name));
    }),
    { seed: 20_260_101 },
  );
});
