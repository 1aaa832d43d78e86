import { describe, expect, test } from 'vitest';
import { makeVersion, type Version } from '../../src/core/version.ts';
import { checkLinearizable } from '../../src/testing/history/check-linearizable.ts';
import type { HistoryAction, HistoryOperation } from '../../src/testing/history/operation.ts';
import { seededRandom } from '../../src/testing/seeded-random.ts';
import { simulateRegister } from './simulate-register.ts';

const v = (index: number): Version => makeVersion(1n, BigInt(index));
const UNKNOWN = Number.POSITIVE_INFINITY;
type Span = readonly [invoked: number, returned: number];
type Condition = { readonly ifMatch?: Version; readonly ifAbsent?: boolean };

const on = (key: string, [invoked, returned]: Span, action: HistoryAction): HistoryOperation => ({
  client: 'c',
  key,
  invoked,
  returned,
  action,
});
const put = (span: Span, value: string, version: Version, condition: Condition = {}): HistoryOperation =>
  on('k', span, { type: 'write', value, outcome: { version }, ...condition });
const lostPut = (invoked: number, value: string, condition: Condition = {}): HistoryOperation =>
  on('k', [invoked, UNKNOWN], { type: 'write', value, outcome: undefined, ...condition });
const remove = (span: Span, existed: boolean, condition: Condition = {}): HistoryOperation =>
  on('k', span, { type: 'write', value: undefined, outcome: { existed }, ...condition });
const lostRemove = (invoked: number, condition: Condition = {}): HistoryOperation =>
  on('k', [invoked, UNKNOWN], { type: 'write', value: undefined, outcome: undefined, ...condition });
const read = (span: Span, value: string, version: Version): HistoryOperation =>
  on('k', span, { type: 'read', found: { value, version } });
const missing = (span: Span): HistoryOperation => on('k', span, { type: 'read', found: undefined });
const checked = (span: Span, version: Version): HistoryOperation => on('k', span, { type: 'read', found: { version } });
const refused = (span: Span, condition: Condition): HistoryOperation =>
  on('k', span, { type: 'refusal', ...condition });

const ILLEGAL: Record<string, HistoryOperation[]> = {
  'a read of a value that nobody wrote': [read([1, 2], 'a', v(1))],
  'a read that misses a finished put': [put([1, 2], 'a', v(1)), missing([3, 4])],
  'a stale read after an overwrite': [put([1, 2], 'a', v(1)), put([3, 4], 'b', v(2)), read([5, 6], 'a', v(1))],
  'two readers that see two writes in opposite orders': [
    put([1, 20], 'a', v(1)),
    put([2, 19], 'b', v(2)),
    read([3, 4], 'a', v(1)),
    read([5, 6], 'b', v(2)),
    read([7, 8], 'a', v(1)),
  ],
  'a read that goes back in time during one long write': [
    put([1, 2], 'a', v(1)),
    put([3, 20], 'b', v(2)),
    read([4, 5], 'b', v(2)),
    read([6, 7], 'a', v(1)),
  ],
  'a read from the future': [read([1, 2], 'a', v(1)), put([3, 4], 'a', v(1))],
  'a put whose version is not the one later read': [put([1, 2], 'a', v(1)), read([3, 4], 'a', v(2))],
  'the right version with the wrong value': [put([1, 2], 'a', v(1)), put([3, 4], 'b', v(2)), read([5, 6], 'a', v(2))],
  'one version for two puts': [put([1, 2], 'a', v(1)), put([3, 4], 'b', v(1))],
  'a version used again after a delete': [put([1, 2], 'a', v(1)), remove([3, 4], true), put([5, 6], 'b', v(1))],
  'a lost update: two CAS from one version': [
    put([1, 2], 'a', v(1)),
    put([3, 6], 'b', v(2), { ifMatch: v(1) }),
    put([4, 5], 'c', v(3), { ifMatch: v(1) }),
  ],
  'a CAS on a version that was overwritten': [
    put([1, 2], 'a', v(1)),
    put([3, 4], 'b', v(2)),
    put([5, 6], 'c', v(3), { ifMatch: v(1) }),
  ],
  'a CAS on a missing key': [put([1, 2], 'a', v(2), { ifMatch: v(1) })],
  'a CAS refused although it matched': [put([1, 2], 'a', v(1)), refused([3, 4], { ifMatch: v(1) })],
  'two creates that both succeed': [
    put([1, 4], 'a', v(1), { ifAbsent: true }),
    put([2, 3], 'b', v(2), { ifAbsent: true }),
  ],
  'a create refused on a missing key': [refused([1, 2], { ifAbsent: true })],
  'a create refused after the delete': [
    put([1, 2], 'a', v(1)),
    remove([3, 4], true),
    refused([5, 6], { ifAbsent: true }),
  ],
  'a delete that found nothing where something was': [put([1, 2], 'a', v(1)), remove([3, 4], false)],
  'a delete that found something where nothing was': [remove([1, 2], true)],
  'one record deleted twice': [put([1, 2], 'a', v(1)), remove([3, 6], true), remove([4, 5], true)],
  'a record that comes back after its delete': [put([1, 2], 'a', v(1)), remove([3, 4], true), read([5, 6], 'a', v(1))],
  'a delete that ignores ifMatch': [
    put([1, 2], 'a', v(1)),
    put([3, 4], 'b', v(2)),
    remove([5, 6], true, { ifMatch: v(1) }),
  ],
  'a write reported lost that is applied twice': [
    lostPut(1, 'a'),
    read([2, 3], 'a', v(1)),
    remove([4, 5], true),
    read([6, 7], 'a', v(2)),
  ],
  'a lost write that takes effect before it was called': [read([1, 2], 'a', v(1)), lostPut(3, 'a')],
  'a lost CAS that takes effect although its version was gone': [
    put([1, 2], 'a', v(1)),
    put([3, 4], 'b', v(2)),
    lostPut(5, 'c', { ifMatch: v(1) }),
    read([6, 7], 'c', v(3)),
  ],
  'a lost create that takes effect over a record': [
    put([1, 2], 'a', v(1)),
    lostPut(3, 'b', { ifAbsent: true }),
    read([4, 5], 'b', v(2)),
  ],
  'a lost delete with a stale version that takes effect': [
    put([1, 2], 'a', v(1)),
    put([3, 4], 'b', v(2)),
    lostRemove(5, { ifMatch: v(1) }),
    missing([6, 7]),
  ],
  'a lost write that shows an acknowledged version': [put([1, 2], 'a', v(1)), lostPut(3, 'b'), read([4, 5], 'b', v(1))],
  'two lost writes that show one version': [
    lostPut(1, 'a'),
    lostPut(2, 'a'),
    read([3, 4], 'a', v(1)),
    remove([5, 6], true),
    read([7, 8], 'a', v(1)),
  ],
  'a lost write that shows two versions': [lostPut(1, 'a'), read([2, 3], 'a', v(1)), read([4, 5], 'a', v(2))],
  'a put with the version that a lost write showed': [lostPut(1, 'a'), read([2, 3], 'a', v(1)), put([4, 5], 'b', v(1))],
  'a check that passes at an old version': [put([1, 2], 'a', v(1)), put([3, 4], 'b', v(2)), checked([5, 6], v(1))],
  'an empty record read as missing': [put([1, 2], '', v(1)), missing([3, 4])],
};

const LEGAL: Record<string, HistoryOperation[]> = {
  nothing: [],
  'reads of a key that nobody wrote': [missing([1, 2]), missing([3, 4]), remove([5, 6], false)],
  'one write after another': [
    put([1, 2], 'a', v(1), { ifAbsent: true }),
    read([3, 4], 'a', v(1)),
    put([5, 6], 'b', v(2), { ifMatch: v(1) }),
    checked([7, 8], v(2)),
    refused([9, 10], { ifMatch: v(1) }),
    refused([11, 12], { ifAbsent: true }),
    remove([13, 14], true, { ifMatch: v(2) }),
    refused([15, 16], { ifMatch: v(2) }),
    put([17, 18], 'c', v(3), { ifAbsent: true }),
  ],
  'overlapping writes that readers see in one order': [
    put([1, 20], 'a', v(2)),
    put([2, 19], 'b', v(1)),
    read([3, 4], 'b', v(1)),
    read([5, 6], 'a', v(2)),
  ],
  'a read that overlaps a write sees the old or the new': [
    put([1, 2], 'a', v(1)),
    put([3, 10], 'b', v(2)),
    read([4, 9], 'a', v(1)),
    read([5, 8], 'b', v(2)),
  ],
  'a read that ends before the put that it sees ends': [put([1, 10], 'a', v(1)), read([2, 3], 'a', v(1))],
  'a lost write that took effect': [lostPut(1, 'a'), read([2, 3], 'a', v(1)), remove([4, 5], true)],
  'a lost write that did not take effect': [
    lostPut(1, 'a'),
    missing([2, 3]),
    put([4, 5], 'b', v(1), { ifAbsent: true }),
  ],
  'a lost write that took effect long after': [
    lostPut(1, 'a'),
    missing([2, 3]),
    put([4, 5], 'b', v(1)),
    read([6, 7], 'b', v(1)),
    read([8, 9], 'a', v(2)),
  ],
  'a lost CAS that came too late': [
    put([1, 2], 'a', v(1)),
    lostPut(3, 'b', { ifMatch: v(1) }),
    put([4, 5], 'c', v(2)),
    read([6, 7], 'c', v(2)),
  ],
  'a CAS on the version of a lost write': [lostPut(1, 'a'), put([2, 3], 'b', v(2), { ifMatch: v(1) })],
  'a lost delete that did, and one that did not': [
    put([1, 2], 'a', v(1)),
    lostRemove(3),
    missing([4, 5]),
    lostRemove(6),
    put([7, 8], 'b', v(2)),
    read([9, 10], 'b', v(2)),
  ],
  'what touches overlaps': [put([1, 2], 'a', v(1)), missing([2, 3])],
  'one version on two keys': [
    put([1, 2], 'a', v(1)),
    on('other', [1, 2], { type: 'write', value: 'b', outcome: { version: v(1) } }),
  ],
};

describe('the checker refuses', () => {
  test.each(Object.entries(ILLEGAL))('%s', (_, history) => {
    const result = checkLinearizable(history);
    expect(result).toMatchObject({ ok: false, key: 'k' });
    expect(checkLinearizable(history.toReversed())).toMatchObject({ ok: false });
  });
});

describe('the checker accepts', () => {
  test.each(Object.entries(LEGAL))('%s', (_, history) => {
    expect(checkLinearizable(history)).toEqual({ ok: true });
    expect(checkLinearizable(history.toReversed())).toEqual({ ok: true });
  });

  test('every history of an atomic register, however its intervals stretch', () => {
    for (let seed = 1; seed <= 150; seed++) {
      const history = simulateRegister(seededRandom(seed), { operations: 60, stretch: 6, lost: 0.08 });
      const result = checkLinearizable(history);
      expect(result, `seed ${seed}`).toEqual({ ok: true });
    }
  });
});

describe('the checker', () => {
  test('finds one wrong answer among many right ones', () => {
    let found = 0;
    for (let seed = 1; seed <= 60; seed++) {
      const history = simulateRegister(seededRandom(seed), { operations: 60, stretch: 3, lost: 0 });
      const at = history.findLastIndex(({ action }) => action.type === 'read' && action.found !== undefined);
      const wrong = history[at];
      if (wrong === undefined) continue;
      found++;
      const forged = { ...wrong, action: { type: 'read', found: { version: v(999_999), value: 'x' } } } as const;
      expect(checkLinearizable(history.with(at, forged)), `seed ${seed}`).toMatchObject({ ok: false });
    }
    expect(found).toBeGreaterThan(50);
  });

  test('says which answer has no explanation, and shows no more than what led to it', () => {
    const result = checkLinearizable([
      ...(LEGAL['a lost write that took effect'] ?? []),
      put([6, 7], 'old', v(7)),
      put([8, 9], 'new', v(8)),
      read([10, 11], 'old', v(7)),
      read([12, 13], 'new', v(8)),
    ]);
    if (result.ok) throw new Error('The history is not linearizable.');
    expect(result.explanation).toContain('Nothing explains this answer:\n  [10, 11] c read: "old" at 1.7\n');
    expect(result.explanation).toContain('the key would be "new" at 1.8');
    expect(result.explanation).not.toContain('[12, 13]');
    expect(result.prefix.map(({ invoked }) => invoked)).toEqual([1, 2, 4, 6, 8, 10]);
  });

  test('names both writes that were given one version', () => {
    const result = checkLinearizable(ILLEGAL['one version for two puts'] ?? []);
    if (result.ok) throw new Error('The history is not linearizable.');
    expect(result.explanation).toContain('Two writes of this key were given one version.');
    expect(result.prefix).toHaveLength(2);
  });

  test('checks a long history of one key in moderate time', () => {
    const history = simulateRegister(seededRandom(1), { operations: 3000, stretch: 4, lost: 0.002 });
    const start = performance.now();
    expect(checkLinearizable(history)).toEqual({ ok: true });
    expect(performance.now() - start).toBeLessThan(30_000);
  });
});
