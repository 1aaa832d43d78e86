import { beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import type { Store, VectorStore } from '../../core/store.ts';
import { type MemoryStore, memory } from '../../stores/memory/index.ts';
import { limitCapabilities } from '../limit-capabilities.ts';
import { type ManualClock, manualClock } from '../manual-clock.ts';
import { seededRandom } from '../seeded-random.ts';
import { type FaultKind, type FaultOptions, SimulatedCrash } from './fault.ts';
import { faultStore } from './fault-store.ts';

const INDEX = { dimensions: 1, metric: 'euclidean', type: 'exact' } as const;
const S = 'space';
const A = Uint8Array.of(1);
const vector = (number: number): Float32Array => Float32Array.of(number);
const unavailable = (applied: string): object => ({ code: 'store.unavailable', details: { applied } });

let clock: ManualClock;
let inner: MemoryStore;

beforeEach(async () => {
  clock = manualClock(0, { autoAdvance: true });
  inner = await memory().openStore({ clock, random: seededRandom(1) });
  await inner.vectors.createIndex(S, INDEX);
});

/** A fault store that injects `faults` in this order, one a call. */
function scripted(faults: readonly (FaultKind | 'none')[], options: Partial<FaultOptions> = {}) {
  const script: FaultOptions['script'] = ({ number }) => faults[number - 1] ?? 'none';
  return faultStore(inner, { random: seededRandom(1), clock, script, ...options });
}

describe('each fault of vectors', () => {
  test('errorBefore: every call fails as not applied, which is true', async () => {
    await inner.vectors.insert(S, 'a', vector(1));
    const { vectors } = scripted(Array.from({ length: 8 }, () => 'errorBefore'));
    for (const call of [
      () => vectors.createIndex('other', INDEX),
      () => vectors.dropIndex(S),
      () => vectors.insert(S, 'a', vector(2)),
      () => vectors.delete(S, 'a'),
      () => vectors.get(S, 'a'),
      () => vectors.getMany(S, ['a']),
      () => vectors.search(S, vector(1), 1),
      () => vectors.list(S),
    ]) {
      await expect(call()).rejects.toMatchObject(unavailable('no'));
    }
    expect(await inner.vectors.get(S, 'a')).toEqual(vector(1));
    expect(await inner.vectors.dropIndex('other')).toBe(false);
  });

  test('lostRequest: an unknown outcome, not applied; errorAfter: an unknown outcome, applied', async () => {
    const { vectors } = scripted([
      'lostRequest',
      'errorAfter',
      'lostRequest',
      'errorAfter',
      'errorAfter',
      'errorAfter',
    ]);
    await expect(vectors.insert(S, 'a', vector(1))).rejects.toMatchObject(unavailable('unknown'));
    expect(await inner.vectors.get(S, 'a')).toBeUndefined();
    await expect(vectors.insert(S, 'a', vector(1))).rejects.toMatchObject(unavailable('unknown'));
    expect(await inner.vectors.get(S, 'a')).toEqual(vector(1));
    await expect(vectors.delete(S, 'a')).rejects.toMatchObject(unavailable('unknown'));
    expect(await inner.vectors.get(S, 'a')).toEqual(vector(1));
    await expect(vectors.delete(S, 'a')).rejects.toMatchObject(unavailable('unknown'));
    expect(await inner.vectors.get(S, 'a')).toBeUndefined();
    await expect(vectors.createIndex('new', INDEX)).rejects.toMatchObject(unavailable('unknown'));
    expect(await inner.vectors.createIndex('new', INDEX)).toBe(false);
    await expect(vectors.dropIndex(S)).rejects.toMatchObject(unavailable('unknown'));
    expect(await inner.vectors.dropIndex(S)).toBe(false);
  });

  test('conflict: does not hit a vector, which has no precondition; it hits a commit as a whole', async () => {
    const store = scripted(['conflict', 'conflict']);
    await store.vectors.insert(S, 'a', vector(1));
    expect(store.injected).toEqual([]);
    const write = { type: 'insert', namespace: S, id: 'b', vector: vector(2) } as const;
    const commit = store.commit([{ type: 'put', key: A, value: A, ifAbsent: true }], { vectors: [write] });
    await expect(commit).rejects.toMatchObject({ code: 'already.exists' });
    expect(await inner.vectors.get(S, 'b')).toBeUndefined();
  });

  test.each([
    ['errorBefore', false, false],
    ['lostRequest', false, false],
    ['errorAfter', true, true],
    ['zombie', false, true],
  ] as const)('%s: a commit with vectors is applied whole or not at all', async (kind, now, later) => {
    const store = scripted([kind]);
    const one = vector(1);
    const write = { type: 'insert', namespace: S, id: 'a', vector: one } as const;
    const commit = store.commit([{ type: 'put', key: A, value: A }], { vectors: [write] });
    await expect(commit).rejects.toMatchObject({ code: 'store.unavailable' });
    one.fill(9);
    expect(store.injected).toMatchObject([{ kind, vectors: [{ namespace: S, id: 'a' }] }]);
    const written = async (): Promise<boolean[]> => [
      (await inner.get(A)) !== undefined,
      (await inner.vectors.get(S, 'a')) !== undefined,
    ];
    expect(await written()).toEqual([now, now]);
    await store.heal();
    expect(await written()).toEqual([later, later]);
    if (later) expect(await inner.vectors.get(S, 'a')).toEqual(vector(1));
  });

  test('zombie: an insert comes later, with the numbers of then', async () => {
    const store = scripted(['zombie', 'none'], { maxLateness: 1 });
    const one = vector(1);
    await expect(store.vectors.insert(S, 'a', one)).rejects.toMatchObject(unavailable('unknown'));
    one.fill(9);
    expect(await inner.vectors.get(S, 'a')).toBeUndefined();
    await store.vectors.search(S, vector(1), 1);
    expect(await inner.vectors.get(S, 'a')).toEqual(vector(1));
  });

  test('duplicate: comes twice at once, which shows nowhere; lateDuplicate: undoes a delete', async () => {
    const store = scripted(['duplicate', 'duplicate', 'lateDuplicate']);
    await store.vectors.insert(S, 'a', vector(1));
    expect(await inner.vectors.list(S)).toEqual(['a']);
    expect(await store.vectors.delete(S, 'a')).toBe(true);
    await store.vectors.insert(S, 'b', vector(2));
    await inner.vectors.delete(S, 'b');
    await store.deliverLate();
    expect(await inner.vectors.list(S)).toEqual(['b']);
    expect(store.injected.map(({ kind }) => kind)).toEqual(['duplicate', 'duplicate', 'lateDuplicate']);
  });

  test('lateDuplicate: with an idempotency key it is applied once', async () => {
    const store = scripted(['lateDuplicate']);
    await store.vectors.insert(S, 'a', vector(1), { idempotencyKey: 'k' });
    await inner.vectors.delete(S, 'a');
    await store.heal();
    expect(await inner.vectors.list(S)).toEqual([]);
  });

  test('delay: takes time on the clock', async () => {
    const store = scripted(Array.from({ length: 6 }, () => 'delay'));
    for (const id of ['a', 'b', 'c']) await store.vectors.insert(S, id, vector(1));
    await store.vectors.search(S, vector(1), 1);
    expect(clock.now()).toBeGreaterThan(0);
    expect(await inner.vectors.list(S)).toEqual(['a', 'b', 'c']);
  });

  test.each([
    ['crashBefore', undefined],
    ['crashAfter', vector(1)],
  ] as const)('%s: the process dies, and what it wrote stays', async (kind, left) => {
    const store = scripted([kind]);
    await expect(store.vectors.insert(S, 'a', vector(1))).rejects.toBeInstanceOf(SimulatedCrash);
    await expect(store.vectors.search(S, vector(1), 1)).rejects.toBeInstanceOf(SimulatedCrash);
    await expect(store.get(A)).rejects.toBeInstanceOf(SimulatedCrash);
    expect(await inner.vectors.get(S, 'a')).toEqual(left);
  });
});

describe('a stale read of vectors', () => {
  const eventual = { consistency: 'eventual' } as const;

  test('answers an earlier vector, one that a commit wrote too, unless the read is strong', async () => {
    const store = scripted(['none', 'none', 'staleRead', 'staleRead', 'staleRead']);
    const write = { type: 'insert', namespace: S, id: 'a', vector: vector(1) } as const;
    await store.commit([], { vectors: [write] });
    await store.vectors.insert(S, 'a', vector(2));
    expect(await store.vectors.get(S, 'a')).toEqual(vector(2));
    expect(await store.vectors.get(S, 'a', eventual)).toEqual(vector(1));
    expect(await store.vectors.getMany(S, ['b', 'a'], eventual)).toEqual([undefined, vector(1)]);
    expect(store.injected.map(({ number }) => number)).toEqual([4, 5]);
  });

  test('answers what the client itself wrote earlier and never read', async () => {
    const store = scripted(['none', 'none', 'none', 'staleRead', 'staleRead']);
    await store.vectors.insert(S, 'a', vector(1));
    await store.vectors.delete(S, 'a');
    await store.vectors.insert(S, 'b', vector(2));
    expect(await store.vectors.get(S, 'a', eventual)).toEqual(vector(1));
    expect(await store.vectors.get(S, 'b', eventual)).toEqual(vector(2));
    expect(store.injected.map(({ number }) => number)).toEqual([4]);
  });

  test('answers a search and a list as before, unless they are strong', async () => {
    const store = scripted(['none', 'none', 'none', 'none', 'staleRead', 'staleRead', 'staleRead', 'staleRead']);
    await store.vectors.insert(S, 'a', vector(1));
    const before = await store.vectors.search(S, vector(3), 5);
    await store.vectors.list(S);
    await store.vectors.insert(S, 'b', vector(3));
    expect((await store.vectors.search(S, vector(3), 5)).map(({ id }) => id)).toEqual(['b', 'a']);
    expect(await store.vectors.search(S, vector(3), 5, eventual)).toEqual(before);
    expect(await store.vectors.list(S, eventual)).toEqual(['a']);
    // Nobody asked this before, so there is nothing true to answer.
    expect(await store.vectors.search(S, vector(3), 4, eventual)).toHaveLength(2);
    expect(store.injected.map(({ number }) => number)).toEqual([6, 7]);
  });
});

describe('a fault store', () => {
  test('has vectors if the store has, in types and at run time', async () => {
    const store = faultStore(inner, { random: seededRandom(1) });
    expectTypeOf(store).toExtend<VectorStore>();
    await store.vectors.insert(S, 'a', vector(1));
    expect(await store.vectors.search(S, vector(1), 1)).toEqual([{ id: 'a', distance: 0 }]);

    const plain = faultStore(limitCapabilities(inner, ['vectors']), { random: seededRandom(1) });
    expectTypeOf(plain).toExtend<Store>();
    expectTypeOf(plain).not.toExtend<VectorStore>();
    // @ts-expect-error the store behind it has no vectors.
    await expect(plain.vectors.list(S)).rejects.toMatchObject({ code: 'capability.missing' });
  });

  test('brings vectors late by chance only to clients that survive it', async () => {
    const faults = { zombie: 1, lateDuplicate: 1, duplicate: 1 };
    const limited = limitCapabilities(inner, ['idempotency']);
    const careful = faultStore(limited, { random: seededRandom(1), faults });
    await careful.vectors.insert(S, 'a', vector(1), { idempotencyKey: 'ignored' });
    await careful.vectors.delete(S, 'a');
    await careful.vectors.createIndex('other', INDEX);
    expect(careful.injected.map(({ kind }) => kind)).toEqual(['duplicate', 'duplicate', 'duplicate']);

    const remembering = faultStore(inner, { random: seededRandom(1), faults });
    const insert = remembering.vectors.insert(S, 'a', vector(1), { idempotencyKey: 'k' });
    await expect(insert).rejects.toMatchObject(unavailable('unknown'));

    const fresh = faultStore(limited, { random: seededRandom(1), faults, lateVectors: true });
    await expect(fresh.vectors.insert(S, 'b', vector(1))).rejects.toMatchObject(unavailable('unknown'));
    await expect(fresh.vectors.delete(S, 'b')).rejects.toMatchObject(unavailable('unknown'));
    expect(await fresh.vectors.dropIndex('other')).toBe(true);
    expect(fresh.injected.map(({ kind }) => kind)).toEqual(['zombie', 'zombie', 'duplicate']);
  });

  test('replays from its seed, and says which vectors it hit', async () => {
    const run = async (seed: number): Promise<{ faults: string; left: string[] }> => {
      inner = await memory().openStore({ clock, random: seededRandom(1) });
      await inner.vectors.createIndex(S, INDEX);
      const faults = { errorBefore: 0.1, errorAfter: 0.1, zombie: 0.2, lateDuplicate: 0.2, staleRead: 0.3 };
      const store = faultStore(inner, { random: seededRandom(seed), faults, lateVectors: true });
      for (let i = 0; i < 60; i++) {
        await store.vectors.insert(S, `id ${i % 20}`, vector(i)).catch(() => {});
        if (i % 3 === 0) await store.vectors.delete(S, `id ${(i + 5) % 20}`).catch(() => {});
        await store.vectors.search(S, vector(1), 3, { consistency: 'eventual' }).catch(() => []);
      }
      await store.heal();
      return { faults: store.describeFaults(), left: await inner.vectors.list(S) };
    };
    const first = await run(5);
    expect(await run(5)).toEqual(first);
    expect((await run(6)).faults).not.toBe(first.faults);
    expect(first.faults).toMatch(/^call \d+: insertVector "space" "id \d+": zombie$/m);
    expect(first.faults).toMatch(/^call \d+: search "space": staleRead$/m);
  });

  test('lets a script see which vectors a call names', async () => {
    const seen: unknown[] = [];
    const store = faultStore(inner, {
      random: seededRandom(1),
      script: ({ verb, keys, vectors }) => {
        seen.push([verb, keys, vectors]);
        return 'none';
      },
    });
    await store.vectors.getMany(S, ['a', 'b']);
    await store.vectors.createIndex('other', INDEX);
    await store.commit([{ type: 'delete', key: A }], { vectors: [{ type: 'delete', namespace: S, id: 'a' }] });
    await store.get(A);
    expect(seen).toEqual([
      [
        'getVectors',
        [],
        [
          { namespace: S, id: 'a' },
          { namespace: S, id: 'b' },
        ],
      ],
      ['createIndex', [], [{ namespace: 'other' }]],
      ['commit', [A], [{ namespace: S, id: 'a' }]],
      ['get', [A], []],
    ]);
  });
});
