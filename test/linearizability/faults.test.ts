import { describe, expect, test } from 'vitest';
import { NorimakiError } from '../../src/core/errors.ts';
import type { Store } from '../../src/core/store.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { runClient } from '../../src/testing/contract/linearizability.ts';
import {
  type Ability,
  checkLinearizable,
  type FaultKind,
  faultStore,
  limitCapabilities,
  manualClock,
  recordHistory,
  seededRandom,
} from '../../src/testing/index.ts';
import { StoreWrapper } from '../../src/testing/store-wrapper.ts';

const FAULTS: Partial<Record<FaultKind, number>> = {
  errorBefore: 0.03,
  lostRequest: 0.01,
  errorAfter: 0.01,
  delay: 0.2,
  staleRead: 0.2,
  duplicate: 0.1,
  lateDuplicate: 0.05,
  zombie: 0.02,
};

/** Sends a write of unknown outcome again, once, with the same idempotency key. */
class Resending extends StoreWrapper {
  readonly #client: string;
  #writes = 0;

  constructor(inner: Store, client: string) {
    super(inner);
    this.#client = client;
  }

  override put(...[key, value, options]: Parameters<Store['put']>): ReturnType<Store['put']> {
    const idempotencyKey = `${this.#client} ${++this.#writes}`;
    return again(() => super.put(key, value, { ...options, idempotencyKey }));
  }

  override delete(...[key, options]: Parameters<Store['delete']>): ReturnType<Store['delete']> {
    const idempotencyKey = `${this.#client} ${++this.#writes}`;
    return again(() => super.delete(key, { ...options, idempotencyKey }));
  }
}

async function again<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (NorimakiError.is(error, 'store.unavailable') && error.details.applied === 'unknown') return send();
    throw error;
  }
}

async function run(seed: number, without: readonly Ability[], resend: boolean): Promise<{ faults: Set<FaultKind> }> {
  const clock = manualClock(0, { autoAdvance: true });
  const inner = limitCapabilities(await memory().openStore({ clock, random: seededRandom(seed) }), without);
  const history = recordHistory();
  const faults = new Set<FaultKind>();
  const clients = Array.from({ length: 8 }, async (_, i) => {
    const name = `client ${i}`;
    const store = faultStore(inner, { clock, random: seededRandom(seed * 100 + i), faults: FAULTS, maxDelay: 10 });
    const recorded = history.wrap(store, name);
    await runClient(resend ? new Resending(recorded, name) : recorded, name, seededRandom(seed * 100 + 50 + i), 120);
    await store.heal();
    for (const { kind } of store.injected) faults.add(kind);
  });
  await Promise.all(clients);
  const result = checkLinearizable(history.operations());
  expect(result.ok ? '' : `Seed ${seed}. ${result.explanation}`).toBe('');
  expect(history.operations().some(({ returned }) => returned === Number.POSITIVE_INFINITY)).toBe(true);
  return { faults };
}

describe('the memory store behind a faulty network is linearizable', () => {
  const seeds = [1, 2, 3, 4, 5, 6];

  test.each(seeds)('for clients that give up, seed %i', async (seed) => {
    const { faults } = await run(seed, ['idempotency'], false);
    expect([...faults].sort()).toEqual([
      'delay',
      'duplicate',
      'errorAfter',
      'errorBefore',
      'lateDuplicate',
      'lostRequest',
      'zombie',
    ]);
  });

  test.each(seeds)('for clients that send again with an idempotency key, seed %i', async (seed) => {
    await run(seed, [], true);
  });
});

test('the check notices when unconditional writes are delivered twice', async () => {
  let caught = 0;
  for (let seed = 1; seed <= 5; seed++) {
    const inner = limitCapabilities(await memory().openStore({ clock: manualClock(), random: seededRandom(seed) }), [
      'idempotency',
    ]);
    const history = recordHistory();
    const random = seededRandom(seed);
    await Promise.all(
      Array.from({ length: 4 }, (_, i) => {
        const script = () => (random.float() < 0.2 ? ('lateDuplicate' as const) : ('none' as const));
        const store = faultStore(inner, { random, script });
        return runClient(history.wrap(store, `client ${i}`), `client ${i}`, seededRandom(seed * 100 + i), 100);
      }),
    );
    if (!checkLinearizable(history.operations()).ok) caught++;
  }
  expect(caught).toBe(5);
});
