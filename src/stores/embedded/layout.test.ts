import fc from 'fast-check';
import { expect, test } from 'vitest';
import { makeVersion } from '../../core/version.ts';
import {
  afterDeadline,
  deadlineKey,
  deadlineOf,
  encodeRecord,
  HEADER,
  keyOfDeadline,
  readHeader,
  readU64,
  versionAt,
  writeU64,
} from './layout.ts';

const index = fc.maxSafeNat();
const instant = fc.double({ noNaN: true, noDefaultInfinity: true });
const key = fc.uint8Array({ minLength: 1, maxLength: 20 });

test('the version of an index is what makeVersion makes', () => {
  fc.assert(
    fc.property(index, (n) => {
      expect(versionAt(n)).toBe(makeVersion(1n, BigInt(n)));
    }),
  );
});

test('numbers and headers come back as they were written', () => {
  fc.assert(
    fc.property(index, fc.option(instant, { nil: undefined }), fc.uint8Array(), (n, expiresAt, value) => {
      const record = writeU64(encodeRecord(value, expiresAt), n);
      expect(readU64(record)).toBe(n);
      expect(readHeader(record)).toEqual({ index: n, expiresAt });
      expect(Uint8Array.from(record.subarray(HEADER))).toEqual(value);
    }),
  );
});

test('deadlines come back, and their bytes sort as they do', () => {
  fc.assert(
    fc.property(instant, key, instant, key, (one, k, other, l) => {
      const entry = deadlineKey(one, k);
      expect(deadlineOf(entry)).toBe(one);
      expect(Uint8Array.from(keyOfDeadline(entry))).toEqual(k);
      // To sort, 0 and -0 are one.
      if (one < other) expect(Buffer.compare(entry, deadlineKey(other, l))).toBeLessThan(0);
      expect(Buffer.compare(entry, afterDeadline(one))).toBeLessThan(0);
      if (other > one) expect(Buffer.compare(deadlineKey(other, l), afterDeadline(one))).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 1000 },
  );
});
