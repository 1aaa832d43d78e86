import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import type { Store } from '../../src/core/store.ts';
import { type Default, Entity, Field, Id, open, Ttl } from '../../src/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { faultStore, limitCapabilities, manualClock, seededRandom } from '../../src/testing/index.ts';
import { isLong, regressions } from '../support/campaign.ts';
import { fateOf, SURVIVABLE_FAULTS } from '../support/fates.ts';
import { withoutStacks } from '../support/without-stacks.ts';

// Every change appends a number of its own, so that a lost, doubled or reordered one shows in the record itself.

@Entity('journal')
class Journal {
  @Id() id!: Id<string>;
  @Field(z.array(z.number())) entries: Default<number[]> = [];
}

@Entity('passing')
@Ttl('10s')
class Passing {
  @Id() id!: Id<string>;
  @Field(z.array(z.number())) entries: Default<number[]> = [];
}

const SEEDS = isLong ? 200_000 : 2_000;
const CLIENTS = 3;
const STEPS = 30;
const KEYS = ['a', 'b'];

type Fate = 'acknowledged' | 'refused' | 'unknown';

const abilities: ((store: Store) => Store)[] = [
  (store) => store,
  (store) => limitCapabilities(store, ['idempotency']),
  (store) => limitCapabilities(store, ['idempotency', 'commit', 'scan']),
];

/** One simulated run: everything that happens in it follows from the seed. */
async function simulate(seed: number): Promise<{ fates: Map<number, Fate>; final: number[]; faults: () => string }> {
  const clock = manualClock(0, { autoAdvance: true });
  const random = seededRandom(seed);
  const inner = await memory().openStore({ clock, random });
  const limit = abilities[seed % abilities.length] as (store: Store) => Store;
  // Every fault is on in every run, each as likely as this run has it.
  const faults = Object.fromEntries(SURVIVABLE_FAULTS.map((kind) => [kind, 0.01 + random.float() ** 2 * 0.2]));
  const stores = Array.from({ length: CLIENTS }, (_, i) =>
    faultStore(limit(inner), { random: seededRandom(seed * 31 + i), clock, faults }),
  );
  const entity = seed % 2 === 0 ? Journal : Passing;
  const fates = new Map<number, Fate>();
  let next = 0;
  await Promise.all(
    stores.map(async (store, i) => {
      const db = await open(store, { clock, random: seededRandom(seed * 17 + i) });
      const journals = db.repo(entity);
      const step = async (): Promise<void> => {
        const id = KEYS[Math.floor(random.float() * KEYS.length)] as string;
        const n = next++;
        // A repeated call with the same key must not count twice.
        const options = random.float() < 0.3 ? { idempotencyKey: `k${n}` } : {};
        const call = () =>
          journals.mutate(id, (journal) => void journal.entries.push(n), { ifAbsent: {}, ttl: '1h', ...options });
        let fate = await call().then((): Fate => 'acknowledged', fateOf);
        if (fate !== 'acknowledged' && 'idempotencyKey' in options && random.float() < 0.5) {
          const again = await call().then((): Fate => 'acknowledged', fateOf);
          fate = again === 'acknowledged' ? again : 'unknown';
        }
        fates.set(n, fate);
      };
      const steps = Math.ceil(STEPS / CLIENTS);
      for (let s = 0; s < steps; s += 2) await Promise.all([step(), step()]);
    }),
  );
  for (const store of stores) await store.heal();
  const journals = (await open(inner, { clock, random })).repo(entity);
  const final = (await journals.getMany(KEYS)).flatMap((journal) => journal?.entries ?? []);
  return { fates, final, faults: () => stores.map((store) => store.describeFaults()).join('\n') };
}

function check({ fates, final }: Awaited<ReturnType<typeof simulate>>): string[] {
  const problems: string[] = [];
  for (const [n, fate] of fates) {
    const times = final.filter((entry) => entry === n).length;
    const allowed = fate === 'acknowledged' ? times === 1 : fate === 'unknown' ? times <= 1 : times === 0;
    if (!allowed) problems.push(`change ${n} was ${fate} and is there ${times} times`);
  }
  return problems;
}

test(`${SEEDS} seeds with every fault: acknowledged exactly once, unknown at most once, refused never`, async () => {
  const count = { acknowledged: 0, refused: 0, unknown: 0 };
  onTestFinished(withoutStacks());
  for (const seed of [...regressions('exactly-once'), ...Array.from({ length: SEEDS }, (_, i) => i)]) {
    const run = await simulate(seed);
    for (const fate of run.fates.values()) count[fate]++;
    const problems = check(run);
    if (problems.length > 0) expect.fail(`seed ${seed}: ${problems.join('; ')}\n${run.faults()}`);
  }
  console.log(`${SEEDS} seeds:`, count);
  expect(count.acknowledged).toBeGreaterThan(SEEDS * 10);
  expect(count.unknown).toBeGreaterThan(0);
}, 3_600_000);

test('a run replays from its seed', async () => {
  const [one, two] = [await simulate(12345), await simulate(12345)];
  expect({ ...two, faults: two.faults() }).toEqual({ ...one, faults: one.faults() });
});
