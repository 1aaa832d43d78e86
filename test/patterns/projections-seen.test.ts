import { expect, test } from 'vitest';
import { seenAfter, unseen } from '../../src/patterns/events/projections/apply.ts';
import type { Projected } from '../../src/patterns/index.ts';

const events = (...versions: bigint[]) =>
  versions.map((version) => ({
    stream: { category: 'tally', id: 'a' },
    version,
    id: `event ${version}`,
    type: 'Counted',
    data: {},
    recordedAt: new Date(0),
  }));
const batch = (fence: bigint, ...versions: bigint[]) => ({
  events: events(...versions),
  key: 'a',
  partition: 0,
  fence,
});
const versionsOf = (list: readonly { readonly version: bigint }[]) => list.map(({ version }) => version);

test('what a view has seen of a stream does not count again, of whichever worker', () => {
  const projected: Projected = { 0: { fence: 5, upTo: { a: 2 } } };
  expect(versionsOf(unseen('seen', projected, batch(5n, 1n, 2n, 3n)))).toEqual([3n]);
  expect(versionsOf(unseen('seen', projected, batch(6n, 2n, 3n)))).toEqual([3n]);
  expect(versionsOf(unseen('seen', projected, { ...batch(5n, 1n), key: 'b' }))).toEqual([1n]);
});

test('a worker that was replaced is refused by the view itself, as what it brings may have been seen and forgotten', () => {
  const projected: Projected = { 0: { fence: 5, upTo: {} } };
  expect(() => unseen('seen', projected, batch(4n, 1n))).toThrow(
    expect.objectContaining({ code: 'fence.stale', details: { entity: 'seen', offered: 4n, highest: 5n } }),
  );
  // Fences of another partition say nothing of this one.
  expect(versionsOf(unseen('seen', projected, { ...batch(4n, 1n), partition: 1 }))).toEqual([1n]);
});

test('a full view forgets the streams whose place has passed what it saw, and no others', async () => {
  const upTo = Object.fromEntries(Array.from({ length: 32 }, (_, i) => [`s${i}`, 3]));
  const places: Readonly<Record<string, bigint>> = { s1: 3n, s2: 9n, s3: 2n };
  const settled = async (keys: readonly string[]) => keys.map((key) => places[key] ?? 0n);
  const after = await seenAfter({ 0: { fence: 5, upTo }, 1: { fence: 1, upTo: { z: 1 } } }, batch(6n, 1n, 2n), settled);
  const { s1: _, s2: __, ...left } = upTo;
  expect(after).toEqual({ 0: { fence: 6, upTo: { ...left, a: 2 } }, 1: { fence: 1, upTo: { z: 1 } } });
});
