import { beforeEach, describe, expect, test } from 'vitest';
import type { Key } from '../../core/store.ts';
import { type MemoryStore, memory } from '../../stores/memory/index.ts';
import { type FaultKind, faultStore, limitCapabilities, manualClock, seededRandom } from '../index.ts';
import { checkLinearizable } from './check-linearizable.ts';
import { printOperation } from './operation.ts';
import { type History, recordHistory } from './record-history.ts';

const [A, B]: [Key, Key] = [Uint8Array.of(1), Uint8Array.of(2)];
const text = (value: string): Uint8Array => Buffer.from(value);
const KEY_A = '[ null ]';

let inner: MemoryStore;
let history: History;

beforeEach(async () => {
  inner = await memory().openStore({ clock: manualClock(), random: seededRandom(1) });
  history = recordHistory();
});

const scripted = (...faults: (FaultKind | 'none')[]) =>
  faultStore(inner, { random: seededRandom(1), script: ({ number }) => faults[number - 1] ?? 'none' });
const lines = (): string[] =>
  history
    .operations()
    .toSorted((a, b) => a.invoked - b.invoked)
    .map((operation) => `${operation.key} ${printOperation(operation)}`);

describe('a recorded store', () => {
  test('records what the client asked and was told', async () => {
    const client = history.wrap(inner, 'c');
    await client.get(A);
    const version = await client.put(A, text('one'), { ifAbsent: true });
    await expect(client.put(A, text('two'), { ifAbsent: true })).rejects.toMatchObject({ code: 'already.exists' });
    await client.getMany([A, B]);
    expect(await client.delete(A, { ifMatch: version })).toBe(true);
    await expect(client.delete(A, { ifMatch: version })).rejects.toMatchObject({ code: 'version.mismatch' });
    expect(await client.delete(A)).toBe(false);
    expect(lines()).toEqual([
      `${KEY_A} [1, 2] c read: missing`,
      `${KEY_A} [3, 4] c put "one" if absent: now at ${version}`,
      `${KEY_A} [5, 6] c write if absent: refused`,
      `${KEY_A} [7, 8] c read: "one" at ${version}`,
      '[ false ] [7, 8] c read: missing',
      `${KEY_A} [9, 10] c delete if at ${version}: deleted`,
      `${KEY_A} [11, 12] c write if at ${version}: refused`,
      `${KEY_A} [13, 14] c delete: there was nothing`,
    ]);
    expect(checkLinearizable(history.operations())).toEqual({ ok: true });
  });

  test('records a commit and a scan on each of their keys', async () => {
    const client = history.wrap(inner, 'c');
    const first = await client.put(A, text('one'));
    const both = await client.commit([
      { type: 'check', key: A, ifMatch: first },
      { type: 'put', key: B, value: text('two'), ifAbsent: true },
    ]);
    await client.scan({ start: A, end: Uint8Array.of(9) });
    await expect(
      client.commit([
        { type: 'delete', key: A },
        { type: 'put', key: B, value: text('three'), ifMatch: first },
      ]),
    ).rejects.toMatchObject({ code: 'version.mismatch' });
    await client.commit([{ type: 'delete', key: B, ifMatch: both }]);
    expect(lines().slice(1)).toEqual([
      `${KEY_A} [3, 4] c read: something at ${first}`,
      `[ false ] [3, 4] c put "two" if absent: now at ${both}`,
      `${KEY_A} [5, 6] c read: "one" at ${first}`,
      `[ false ] [5, 6] c read: "two" at ${both}`,
      `[ false ] [7, 8] c write if at ${first}: refused`,
      `[ false ] [9, 10] c delete if at ${both}: deleted`,
    ]);
    expect(checkLinearizable(history.operations())).toEqual({ ok: true });
  });

  test('keeps bytes as they were when the call was made', async () => {
    const client = history.wrap(inner, 'c');
    const value = text('one');
    const put = client.put(A, value);
    value[0] = 0;
    await put;
    await client.get(A);
    expect(checkLinearizable(history.operations())).toEqual({ ok: true });
  });

  test('leaves out failed reads, reads that need not be fresh, and writes that were not applied', async () => {
    const client = history.wrap(scripted('errorBefore', 'errorBefore', 'errorBefore'), 'c');
    await expect(client.get(A)).rejects.toThrow();
    await expect(client.put(A, text('one'))).rejects.toThrow();
    await expect(client.delete(A)).rejects.toThrow();
    await expect(client.put(A, new Uint8Array(2 ** 20 + 1))).rejects.toMatchObject({ code: 'size.exceeded' });
    await client.get(A, { consistency: 'eventual' });
    expect(history.operations()).toEqual([]);
  });

  test('gives a write of unknown outcome no end', async () => {
    const client = history.wrap(scripted('lostRequest', 'errorAfter', 'crashAfter'), 'c');
    await expect(client.put(A, text('one'))).rejects.toThrow();
    await expect(client.delete(A)).rejects.toThrow();
    await expect(client.commit([{ type: 'put', key: B, value: text('two') }])).rejects.toThrow();
    expect(lines()).toEqual([
      `${KEY_A} [1, …] c put "one": outcome unknown`,
      `${KEY_A} [2, …] c delete: outcome unknown`,
      '[ false ] [3, …] c put "two": outcome unknown',
    ]);
  });

  test('counts a write that is still under way as unknown, and a read as nothing', async () => {
    const client = history.wrap(inner, 'c');
    const [put, get] = [client.put(A, text('one')), client.get(A)];
    expect(lines()).toEqual([`${KEY_A} [1, …] c put "one": outcome unknown`]);
    await Promise.all([put, get]);
    expect(history.operations()).toHaveLength(2);
  });

  test('counts deliveries with one idempotency key as one write', async () => {
    const client = history.wrap(scripted('errorAfter', 'none', 'errorAfter', 'none'), 'c');
    await expect(client.put(A, text('one'), { idempotencyKey: 'k' })).rejects.toThrow();
    const seen = await history.wrap(inner, 'other').get(A);
    expect(await client.put(A, text('one'), { idempotencyKey: 'k' })).toBe(seen?.version);
    await expect(client.put(A, text('one'), { idempotencyKey: 'k' })).rejects.toThrow();
    await client.put(A, text('one'), { idempotencyKey: 'k' });
    expect(lines()).toEqual([
      `${KEY_A} [1, 5] c put "one": now at ${seen?.version}`,
      `${KEY_A} [2, 3] other read: "one" at ${seen?.version}`,
    ]);
    expect(checkLinearizable(history.operations())).toEqual({ ok: true });
  });

  test('counts them apart where the store does not honour the key', async () => {
    const client = history.wrap(limitCapabilities(inner, ['idempotency']), 'c');
    await client.put(A, text('one'), { idempotencyKey: 'k' });
    await client.put(A, text('one'), { idempotencyKey: 'k' });
    expect(history.operations()).toHaveLength(2);
  });

  test('refuses records that expire', async () => {
    const client = history.wrap(inner, 'c');
    await expect(client.put(A, text('one'), { expiresAt: 1 })).rejects.toMatchObject({ code: 'argument.invalid' });
    expect(await inner.get(A)).toBeUndefined();
  });
});
