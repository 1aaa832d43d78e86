import { z } from 'zod';
import { defineEntity, open } from '../src/index.ts';
import { defineAggregate, defineProjection, EventStore, projectedFields } from '../src/patterns/index.ts';
import { memory } from '../src/stores/memory/index.ts';
import { CountingStore } from './counting-store.ts';
import type { BenchRow } from './row.ts';

const Tally = defineAggregate({
  name: 'tally',
  events: { Counted: z.object({ n: z.int() }) },
  initial: () => 0,
  evolve: (state: number) => state + 1,
});
const Total = defineEntity('total', z.object({ id: z.string(), total: z.int().default(0), ...projectedFields }), {
  id: 'id',
});
const Totals = defineProjection({
  name: 'totals',
  from: Tally,
  into: Total,
  id: (event) => event.stream.id,
  apply(view, event) {
    view.total += event.data.n;
  },
});

const STREAMS = 100;
const EVENTS = 10_000;

/** 10,000 events of 100 streams in views, one for each stream; then the same anew. Throws if a view is not the sum of its events. */
export async function projectionBench(): Promise<BenchRow[]> {
  await using db = await open(memory());
  const counting = new CountingStore(db.store);
  await using counted = await open(counting);
  const store = new EventStore(counted, { name: 'bench', aggregates: [Tally] });
  for (let i = 0; i < EVENTS; i++) {
    await store.append(Tally.stream(`s${i % STREAMS}`), [Tally.event('Counted', { n: 1 })], { expected: 'any' });
  }
  const views = store.view(Totals);
  const check = async (): Promise<void> => {
    for (let i = 0; i < STREAMS; i++) {
      if ((await views.get(`s${i}`))?.total !== EVENTS / STREAMS) throw new Error(`The view of s${i} is not the sum.`);
    }
  };
  counting.reset();
  const began = performance.now();
  await using projection = store.project(Totals);
  await projection.caughtUp();
  const caughtUp = performance.now();
  const { calls } = counting;
  await check();
  console.log(
    `projections: ${Math.round(EVENTS / ((caughtUp - began) / 1000))} events/s, ${(calls / EVENTS).toFixed(2)} store calls an event`,
  );
  let switched = 0;
  const again = performance.now();
  await store.rebuild(Totals, {
    onProgress: ({ phase }) => {
      if (phase === 'cleaning') switched ||= performance.now();
    },
  });
  console.log(`projections: ${EVENTS} events built anew in ${Math.round(switched - again)} ms, until the switch`);
  await check();
  counting.reset();
  const one = performance.now();
  for (let i = 0; i < 200; i++) {
    await store.append(Tally.stream('live'), [Tally.event('Counted', { n: 1 })], { expected: 'any' });
  }
  await projection.caughtUp();
  console.log(
    `projections: ${(((performance.now() - one) / 200) * 1000).toFixed(0)} µs from an append to its view, 200 one after the other`,
  );
  // Beside nobody: there is no peer on the same store.
  return [];
}
