import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Projection } from '../../src/patterns/index.ts';
import { type FaultKind, seededRandom } from '../../src/testing/index.ts';
import { pickInt } from '../../src/testing/seeded-random.ts';
import { isLong } from '../support/campaign.ts';
import { fateOf, SURVIVABLE_FAULTS } from '../support/fates.ts';
import { SeenViews, Tally } from './support/event-tally.ts';
import { collect } from './support/sessions.ts';
import { STORE_KINDS, type StoreKind } from './support/stores.ts';
import { type EventProcess, LEASE, type SubscriptionWorld, subscriptionWorld } from './support/subscription-worlds.ts';

const RUNS: Readonly<Record<StoreKind, number>> = isLong
  ? { memory: 300, embedded: 60, norikv: 60 }
  : { memory: 4, embedded: 1, norikv: 1 };
const STREAMS = 4;

describe.each(STORE_KINDS)('on the %s store, under every fault', (kind) => {
  let world: SubscriptionWorld;

  beforeEach(async () => {
    world = await subscriptionWorld(kind);
  });

  const faultsOf = (seed: number): Partial<Record<FaultKind, number>> =>
    Object.fromEntries(SURVIVABLE_FAULTS.map((fault, at) => [fault, (seed >> at) % 2 === 0 ? 0.02 : 0]));

  test('nothing acknowledged is missed, each stream is in order, and views are the fold of their streams: with workers that crash, are replaced, and go on too late', async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 1e9 }), async (seed) => {
        world = await subscriptionWorld(kind);
        run++;
        await holds(seed);
      }),
      { numRuns: RUNS[kind], seed: 20_260_301, endOnFailure: true },
    );
    expect(run).toBe(RUNS[kind]);
  });

  async function holds(seed: number): Promise<void> {
    const random = seededRandom(seed);
    const handled = new Map<string, bigint[]>();
    const running: { process: EventProcess; projection: Projection; close: () => Promise<unknown> }[] = [];
    const settings = { lease: LEASE, retry: { maxAttempts: 1000, base: 5, cap: 50 }, sweepEvery: '1s' } as const;
    let started = 0;
    const startWorker = async (): Promise<void> => {
      const process = await world.start(seed + 100 * ++started, { faults: faultsOf(seed + started) });
      const projection = process.store.project(SeenViews, settings);
      const chance = seededRandom(seed + started);
      const subscription = process.store.subscribe(
        { name: 'listener', streams: Tally, partitions: 2, checkpointEvery: 1 + pickInt(chance, 4), ...settings },
        async ({ stream, version }) => {
          if (chance.float() < 0.1) throw new Error('Not now.');
          // Some take longer than the lease: they go on when others have taken over.
          if (chance.float() < 0.05) await world.clock.sleep(1500);
          handled.set(stream.id, [...(handled.get(stream.id) ?? []), version]);
        },
      );
      running.push({ process, projection, close: () => Promise.all([projection.close(), subscription.close()]) });
    };
    const work = async (): Promise<void> => {
      const appender = await world.start(seed + 7, { faults: faultsOf(seed >> 3) });
      await startWorker();
      await startWorker();
      for (let n = 0; n < 24; n++) {
        const stream = Tally.stream(`s${pickInt(random, STREAMS)}`);
        const events = Array.from({ length: 1 + pickInt(random, 3) }, () => Tally.event('Counted', { n: 1 }));
        const key = `append ${n}`;
        for (let tries = 0; tries < 50; tries++) {
          const call = appender.store.append(stream, events, { expected: 'any', idempotencyKey: key });
          if (
            await call.then(
              () => true,
              (error: unknown) => fateOf(error) === 'refused' && false,
            )
          )
            break;
        }
        if (random.float() < 0.15) await world.clock.sleep(pickInt(random, 800));
        if (random.float() < 0.12) {
          // Its process is gone, with everything under way.
          running.shift()?.process.faulty.crash();
          await startWorker();
        }
      }
      for (const { process } of running) await process.faulty.heal();
      await appender.faulty.heal();
      const last = running.at(-1);
      await last?.projection.caughtUp();
      await last?.process.store.subscription('listener').caughtUp();
    };
    await world.until(work());
    await check(seed, handled);
    await world.until(Promise.all(running.map(({ close }) => close())));
  }

  async function check(seed: number, handled: ReadonlyMap<string, readonly bigint[]>): Promise<void> {
    const { store } = await world.start(1);
    const views = store.view(SeenViews);
    let total = 0;
    for (let i = 0; i < STREAMS; i++) {
      const id = `s${i}`;
      const events = await collect(store.read(Tally.stream(id)));
      total += events.length;
      const versions = events.map(({ version }) => version);
      const seen = (await views.get(id))?.seen ?? [];
      expect(seen, `seed ${seed}: the view of ${id}`).toEqual(versions.map((version) => `${id}/${version}`));
      const got = handled.get(id) ?? [];
      expect(new Set(got), `seed ${seed}: missed of ${id}`).toEqual(new Set(versions));
      // For the first time each event comes after those before it.
      const firsts = got.filter((version, at) => got.indexOf(version) === at);
      expect(firsts, `seed ${seed}: the order of ${id}`).toEqual(versions);
    }
    const all = await views.get('all');
    expect(all?.total ?? 0, `seed ${seed}: the view of all`).toBe(total);
    expect(new Set(all?.seen ?? []).size, `seed ${seed}: seen twice`).toBe(total);
  }
});
