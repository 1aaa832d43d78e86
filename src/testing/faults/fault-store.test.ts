import { beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import type { Key, Stored } from '../../core/store.ts';
import { type MemoryStore, memory } from '../../stores/memory/index.ts';
import { limitCapabilities } from '../limit-capabilities.ts';
import { type ManualClock, manualClock } from '../manual-clock.ts';
import { seededRandom } from '../seeded-random.ts';
import { type FaultKind, type FaultOptions, SimulatedCrash } from './fault.ts';
import { faultStore } from './fault-store.ts';

const key = (byte: number): Key => Uint8Array.of(byte);
const [A, B] = [key(1), key(2)];
const bytes = (...all: number[]): Uint8Array => Uint8Array.of(...all);
const unavailable = (applied: string): object => ({ code: 'store.unavailable', details: { applied } });

let clock: ManualClock;
let inner: MemoryStore;

beforeEach(async () => {
  clock = manualClock(0, { autoAdvance: true });
  inner = await memory().openStore({ clock, random: seededRandom(1) });
});

/** A fault store that injects `faults` in this order, one a call. */
function scripted(faults: readonly (FaultKind | 'none')[], options: Partial<FaultOptions> = {}) {
  const script: FaultOptions['script'] = ({ number }) => faults[number - 1] ?? 'none';
  return faultStore(inner, { random: seededRandom(1), clock, script, ...options });
}

describe('each fault', () => {
  test('conflict: refuses a write with a precondition, and nothing is applied', async () => {
    const version = await inner.put(A, bytes(1));
    const store = scripted(['conflict', 'conflict', 'conflict', 'conflict']);
    await expect(store.put(A, bytes(2), { ifMatch: version })).rejects.toMatchObject({
      code: 'version.mismatch',
      details: { expected: version },
    });
    await expect(store.put(B, bytes(2), { ifAbsent: true })).rejects.toMatchObject({ code: 'already.exists' });
    await expect(
      store.commit([
        { type: 'put', key: B, value: bytes(2) },
        { type: 'check', key: A, ifMatch: version },
      ]),
    ).rejects.toMatchObject({ code: 'version.mismatch', details: { operation: 1 } });
    await expect(store.delete(A, { ifMatch: version })).rejects.toMatchObject({ code: 'version.mismatch' });
    expect(await inner.getMany([A, B])).toMatchObject([{ version, value: bytes(1) }, undefined]);
  });

  test('conflict: does not hit an unconditional write or a read', async () => {
    const store = scripted(['conflict', 'conflict', 'conflict']);
    await store.put(A, bytes(1));
    expect(await store.get(A)).toMatchObject({ value: bytes(1) });
    expect(await store.delete(A)).toBe(true);
    expect(store.injected).toEqual([]);
  });

  test('errorBefore: fails as not applied, which is true', async () => {
    const store = scripted(['errorBefore', 'errorBefore']);
    await expect(store.put(A, bytes(1))).rejects.toMatchObject(unavailable('no'));
    await expect(store.get(A)).rejects.toMatchObject(unavailable('no'));
    expect(await inner.get(A)).toBeUndefined();
  });

  test('lostRequest: fails with an unknown outcome, not applied', async () => {
    const store = scripted(['lostRequest']);
    await expect(store.put(A, bytes(1))).rejects.toMatchObject(unavailable('unknown'));
    expect(await inner.get(A)).toBeUndefined();
  });

  test('errorAfter: fails with an unknown outcome, applied', async () => {
    const store = scripted(['errorAfter', 'errorAfter', 'errorAfter']);
    await expect(store.put(A, bytes(1))).rejects.toMatchObject(unavailable('unknown'));
    expect(await inner.get(A)).toMatchObject({ value: bytes(1) });
    await expect(store.delete(A)).rejects.toMatchObject(unavailable('unknown'));
    expect(await inner.get(A)).toBeUndefined();
    await expect(store.commit([{ type: 'put', key: B, value: bytes(2) }])).rejects.toMatchObject(
      unavailable('unknown'),
    );
    expect(await inner.get(B)).toMatchObject({ value: bytes(2) });
  });

  test('delay: takes time on the clock, and an abort meanwhile says what it can know', async () => {
    const store = scripted(['delay', 'delay', 'delay', 'delay', 'delay', 'delay'], { maxDelay: 50 });
    for (const byte of [1, 2, 3]) await store.put(key(byte), bytes(byte));
    expect(clock.now()).toBeGreaterThan(0);
    expect(clock.now()).toBeLessThanOrEqual(150);

    clock = manualClock(0);
    const outcomes: [string, boolean][] = [];
    for (let seed = 1; seed <= 12; seed++) {
      const slow = faultStore(inner, { random: seededRandom(seed), clock, script: () => 'delay' });
      const controller = new AbortController();
      const put = slow.put(key(100 + seed), bytes(1), { signal: controller.signal }).then(
        () => 'done',
        (error) => error.details.applied as string,
      );
      await new Promise(setImmediate);
      controller.abort();
      outcomes.push([await put, (await inner.get(key(100 + seed))) !== undefined]);
    }
    expect(new Set(outcomes.map(String))).toEqual(new Set(['no,false', 'unknown,true']));
  });

  test('delay: needs a clock', () => {
    expect(() => faultStore(inner, { random: seededRandom(1), faults: { delay: 0.5 } })).toThrow('needs a clock');
  });

  test('staleRead: answers an earlier state of the key, unless the read is strong', async () => {
    const store = scripted(['none', 'none', 'none', 'staleRead', 'staleRead', 'staleRead', 'staleRead']);
    await store.put(A, bytes(1));
    await store.put(A, bytes(2));
    await store.put(B, bytes(9));
    expect(await store.get(A)).toMatchObject({ value: bytes(2) });
    expect(await store.get(A, { consistency: 'eventual' })).toMatchObject({ value: bytes(1) });
    expect(await store.get(B, { consistency: 'eventual' })).toMatchObject({ value: bytes(9) });
    expect(await store.getMany([B, A], { consistency: 'bounded_staleness' })).toMatchObject([
      { value: bytes(9) },
      { value: bytes(1) },
    ]);
    expect(store.injected.map(({ number }) => number)).toEqual([5, 7]);
  });

  test('staleRead: never answers a record that has expired', async () => {
    const store = scripted(['none', 'none', 'staleRead', 'staleRead']);
    await store.put(A, bytes(1), { expiresAt: 100 });
    await store.put(A, bytes(2));
    expect(await store.get(A, { consistency: 'eventual' })).toMatchObject({ value: bytes(1) });
    await clock.advance(100);
    expect(await store.get(A, { consistency: 'eventual' })).toMatchObject({ value: bytes(2) });
  });

  test('duplicate: delivers twice at once, and the second answer is dropped', async () => {
    const store = scripted(['duplicate', 'duplicate']);
    const version = await store.put(A, bytes(1));
    expect((await inner.get(A))?.version).not.toBe(version);
    const once = await store.put(B, bytes(1), { idempotencyKey: 'k' });
    expect((await inner.get(B))?.version).toBe(once);
  });

  test('lateDuplicate: delivers again after later calls, with the original precondition and key', async () => {
    const store = scripted(['lateDuplicate', 'lateDuplicate'], { maxLateness: 1 });
    const first = await store.put(A, bytes(1), { idempotencyKey: 'k' });
    const second = await store.put(A, bytes(2), { ifMatch: first });
    await store.deliverLate();
    expect(await inner.get(A)).toMatchObject({ value: bytes(2), version: second });
  });

  test('zombie: fails now and is applied later, with the bytes of then', async () => {
    const store = scripted(['zombie', 'none', 'none'], { maxLateness: 1 });
    const value = bytes(1);
    const version = await inner.put(A, bytes(0));
    await expect(store.put(A, value, { ifMatch: version })).rejects.toMatchObject(unavailable('unknown'));
    value[0] = 99;
    expect(await inner.get(A)).toMatchObject({ value: bytes(0) });
    await store.get(B);
    expect(await inner.get(A)).toMatchObject({ value: bytes(1) });
  });

  test('zombie: comes too late when somebody else was faster', async () => {
    const store = scripted(['zombie']);
    const version = await inner.put(A, bytes(0));
    await expect(store.put(A, bytes(1), { ifMatch: version })).rejects.toMatchObject(unavailable('unknown'));
    await inner.put(A, bytes(7));
    await store.heal();
    expect(await inner.get(A)).toMatchObject({ value: bytes(7) });
  });

  test.each([
    ['crashBefore', undefined],
    ['crashAfter', bytes(1)],
  ] as const)('%s: the process dies, and its writes so far stay', async (kind, left) => {
    const store = scripted(['none', kind]);
    await store.put(A, bytes(0));
    await expect(store.put(B, bytes(1))).rejects.toBeInstanceOf(SimulatedCrash);
    await expect(store.get(A)).rejects.toBeInstanceOf(SimulatedCrash);
    await store.close();
    expect((await inner.get(B))?.value).toEqual(left);
    expect(await inner.get(A)).toMatchObject({ value: bytes(0) });
  });
});

describe('a fault store', () => {
  test('fails calls that are under way when it crashes', async () => {
    clock = manualClock(0);
    const store = faultStore(inner, { random: seededRandom(1), clock, script: () => 'delay' });
    const calls = Array.from({ length: 8 }, (_, i) => store.put(key(i), bytes(1)).catch((error) => error));
    await new Promise(setImmediate);
    store.crash();
    await clock.advance(1000);
    expect((await Promise.all(calls)).every((error) => error instanceof SimulatedCrash)).toBe(true);
  });

  test('keeps the abilities of the store, in types and at run time', async () => {
    const store = faultStore(inner, { random: seededRandom(1) });
    expectTypeOf(store).toExtend<MemoryStore>();
    expect(store.capabilities).toBe(inner.capabilities);
    await store.commit([{ type: 'put', key: A, value: bytes(1) }]);
    expect((await store.scan({ start: A, end: B })).entries).toHaveLength(1);
    const plain = faultStore(limitCapabilities(inner, ['scan']), { random: seededRandom(1) });
    // @ts-expect-error the store behind it has no scan().
    await expect(plain.scan({ start: A, end: B })).rejects.toMatchObject({ code: 'capability.missing' });
  });

  test('repeats by chance only what a correct client survives', async () => {
    const faults = { zombie: 1, lateDuplicate: 1, duplicate: 1 };
    const limited = limitCapabilities(inner, ['idempotency']);
    const store = faultStore(limited, { random: seededRandom(1), faults });
    await store.put(A, bytes(1), { idempotencyKey: 'ignored' });
    await store.delete(A, { idempotencyKey: 'ignored' });
    expect(store.injected).toEqual([]);
    const version = await store.put(A, bytes(1), { ifAbsent: true });
    expect(store.injected.map(({ kind }) => kind)).toEqual(['duplicate']);
    await expect(store.put(A, bytes(2), { ifMatch: version })).rejects.toMatchObject(unavailable('unknown'));
    expect(store.injected.map(({ kind }) => kind)).toEqual(['duplicate', 'zombie']);
    await store.heal();

    const remembering = faultStore(inner, { random: seededRandom(1), faults });
    await expect(remembering.put(B, bytes(2), { idempotencyKey: 'k' })).rejects.toMatchObject(unavailable('unknown'));
  });

  test('replays from its seed, and says what it injected', async () => {
    const run = async (seed: number): Promise<{ faults: string; left: (Stored | undefined)[] }> => {
      inner = await memory().openStore({ clock, random: seededRandom(1) });
      const store = faultStore(inner, {
        random: seededRandom(seed),
        faults: { errorBefore: 0.1, errorAfter: 0.1, conflict: 0.2, zombie: 0.2, lateDuplicate: 0.2 },
      });
      for (let i = 0; i < 60; i++) {
        const { version } = (await store.get(A).catch(() => undefined)) ?? {};
        await store.put(A, bytes(i), version ? { ifMatch: version } : { ifAbsent: true }).catch(() => {});
      }
      await store.heal();
      return { faults: store.describeFaults(), left: await inner.getMany([A]) };
    };
    const first = await run(5);
    expect(await run(5)).toEqual(first);
    expect((await run(6)).faults).not.toBe(first.faults);
    expect(first.faults).toMatch(/^call \d+: put \[ null \]: \w+$/m);
    expect(first.faults).toContain('zombie');
  });

  test('says so when it injected nothing', () => {
    expect(faultStore(inner, { random: seededRandom(1) }).describeFaults()).toBe('No fault was injected.');
  });

  test('lets a script do things before the call', async () => {
    const version = await inner.put(A, bytes(0));
    const store = faultStore(inner, {
      random: seededRandom(1),
      script: async ({ verb, keys }) => {
        if (verb === 'put') await inner.put(keys[0]!, bytes(5));
        return undefined;
      },
    });
    await expect(store.put(A, bytes(1), { ifMatch: version })).rejects.toMatchObject({ code: 'version.mismatch' });
  });

  test('injects nothing any more once healed', async () => {
    const store = scripted(Array.from({ length: 9 }, () => 'errorBefore'));
    await expect(store.get(A)).rejects.toMatchObject(unavailable('no'));
    await store.heal();
    expect(await store.get(A)).toBeUndefined();
  });
});
