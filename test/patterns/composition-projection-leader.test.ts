import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineEntity, NorimakiError } from '../../src/index.ts';
import { Election } from '../../src/patterns/index.ts';
import { SeenViews, Tally } from './support/event-tally.ts';
import { STORE_KINDS } from './support/stores.ts';
import { type EventProcess, LEASE, subscriptionWorld } from './support/subscription-worlds.ts';

const Report = defineEntity('report', z.object({ id: z.string(), by: z.array(z.string()).default([]) }), { id: 'id' });

function gate(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

describe.each(STORE_KINDS)('on the %s store', (kind) => {
  test('a handler that goes on after its worker was replaced is refused by the fence, and its place is not moved', async () => {
    const world = await subscriptionWorld(kind);
    let isCut = false;
    const cut = { script: () => (isCut ? ('errorBefore' as const) : ('none' as const)) };
    const [one, two] = [await world.start(1, cut), await world.start(1000)];
    const late = gate();
    const isHeld = gate();
    const refused: unknown[] = [];
    const fences: bigint[] = [];
    const subscribe = ({ store, db }: EventProcess, name: string) =>
      store.subscribe(
        { name: 'reporter', streams: Tally, lease: LEASE, retry: { base: 1 } },
        async (event, { fence }) => {
          fences.push(fence);
          if (name === 'one' && event.version === 2n) {
            isHeld.resolve();
            await late.promise;
          }
          try {
            await db
              .repo(Report)
              .mutate('r', (report) => void report.by.push(`${name}/${event.version}`), { ifAbsent: {}, fence });
          } catch (error) {
            refused.push(error);
            throw error;
          }
        },
      );
    await one.store.append(
      Tally.stream('a'),
      [1, 2, 3].map((n) => Tally.event('Counted', { n })),
      { expected: 'new' },
    );
    const first = subscribe(one, 'one');
    await world.until(isHeld.promise);
    // Its network is gone, so that it cannot renew; the process goes on.
    isCut = true;
    const second = subscribe(two, 'two');
    await world.until(second.caughtUp());
    isCut = false;
    late.resolve();
    await world.until(second.caughtUp());
    await world.until(Promise.all([first.close(), second.close()]));
    const report = await two.db.repo(Report).getOrThrow('r');
    expect(report.by.filter((by) => by.startsWith('two'))).toEqual(expect.arrayContaining(['two/2', 'two/3']));
    expect(report.by).not.toContain('one/2');
    expect(refused.some((error) => NorimakiError.is(error, 'fence.stale'))).toBe(true);
    expect(fences[0]).toBeLessThan(fences.at(-1) as bigint);
  });

  test('a projection that runs where the leader is goes on with the next leader, and counts each event once', async () => {
    const world = await subscriptionWorld(kind);
    const stop = new AbortController();
    const led: string[] = [];
    const lead = async ({ db, store }: EventProcess, candidate: string): Promise<void> => {
      const election = new Election(db, { name: 'projector', candidate, ...LEASE });
      await election.lead(
        async ({ signal }) => {
          led.push(candidate);
          await using projection = store.project(SeenViews, { lease: LEASE, signal });
          await projection.done;
        },
        { signal: stop.signal },
      );
    };
    const [one, two] = [await world.start(1), await world.start(1000)];
    const leading = [lead(one, 'one')];
    const append = (n: number) =>
      two.store.append(Tally.stream(`s${n % 3}`), [Tally.event('Counted', { n })], { expected: 'any' });
    for (let n = 0; n < 6; n++) await world.until(append(n));
    await world.until(world.clock.sleep(500));
    leading.push(lead(two, 'two'));
    // What it is in the middle of fails.
    leading[0]?.catch(() => {});
    one.faulty.crash();
    for (let n = 6; n < 12; n++) await world.until(append(n));
    const views = two.store.view(SeenViews);
    const complete = async (): Promise<void> => {
      while (((await views.get('all'))?.seen.length ?? 0) < 12) await world.clock.sleep(50);
    };
    await world.until(complete());
    expect((await views.getOrThrow('all')).total).toBe(66);
    expect((await views.getOrThrow('s1')).seen).toEqual(['s1/1', 's1/2', 's1/3', 's1/4']);
    expect(led).toEqual(['one', 'two']);
    stop.abort();
    await world.until(Promise.allSettled(leading.slice(1)));
  });
});
