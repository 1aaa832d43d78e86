import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Store } from '../src/core/store.ts';
import { defineEntity, open, systemEnvironment } from '../src/index.ts';
import { defineAggregate, EventStore, stream } from '../src/patterns/index.ts';
import { embedded } from '../src/stores/embedded/index.ts';
import { memory } from '../src/stores/memory/index.ts';
import { compare, timed } from './compare.ts';
import { CountingStore } from './counting-store.ts';
import type { BenchRow } from './row.ts';

const Account = defineAggregate({
  name: 'account',
  events: { Deposited: z.object({ amount: z.number() }) },
  initial: () => ({ balance: 0 }),
  evolve: (state, { data }) => ({ balance: state.balance + data.amount }),
});

const LONG = 10_000;

/** What a program without an event store would write for each event: a record of its own. */
const Entry = defineEntity(
  'entry',
  z.object({
    id: z.string(),
    account: z.string(),
    type: z.string(),
    data: z.object({ amount: z.number() }),
    at: z.date(),
  }),
  { id: 'id' },
);

/** What an append costs beside the creation of a record, which checks no order and no version; and what a snapshot saves. */
export async function eventsBench(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'norimaki-bench-'));
  try {
    const kinds = [
      ['memory', await memory().openStore(systemEnvironment)],
      ['embedded', await embedded({ path: join(folder, 'data') }).openStore(systemEnvironment)],
    ] as const;
    const rows: BenchRow[] = [];
    for (const [kind, store] of kinds) {
      rows.push(...(await appending(kind, store)));
      await store.close();
    }
    rows.push(await loading());
    return rows;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function appending(kind: string, inner: Store): Promise<BenchRow[]> {
  const store = new CountingStore(inner);
  const db = await open(store as Store);
  const events = new EventStore(db, { name: 'bench', aggregates: [Account] });
  const entries = db.repo(Entry);
  const event = Account.event('Deposited', { amount: 1 });
  let key = 0;
  const rows: BenchRow[] = [];
  for (const [name, writers, streams, calls, target] of [
    ['one stream, one writer', 1, 1, 500, 0.25],
    ['one stream, 64 writers', 64, 1, 6_400, 0.9],
    ['1,000 streams, 64 writers', 64, 1_000, 6_400, 0.25],
  ] as const) {
    const work = (call: (n: number) => Promise<unknown>) => () =>
      timed(calls, async () => {
        let next = 0;
        const writer = async (): Promise<void> => {
          while (next < calls) await call(next++);
        };
        await Promise.all(Array.from({ length: writers }, writer));
      });
    const ours = work((n) => events.append(Account.stream(`${name} ${n % streams}`), [event], { expected: 'any' }));
    const theirs = work((n) =>
      entries.create({ id: `${key++}`, account: `${name} ${n % streams}`, ...event, at: new Date() }),
    );
    await ours();
    await theirs();
    const before = store.calls;
    await ours();
    const perCall = (store.calls - before) / calls;
    const figures = await compare(7, ours, theirs);
    console.log(
      `events, ${kind}, ${name}: ${Math.round(1e9 / figures.ours).toLocaleString('en')} appends/s, ${perCall.toFixed(3)} store operations per append`,
    );
    rows.push({ name: `events, ${kind}, ${name}`, ...figures, target, unit: 'ns' });
  }
  return rows;
}

/** A stream of 10,000 events, with a snapshot beside without. */
async function loading(): Promise<BenchRow> {
  const db = await open(memory());
  const [kept, whole] = [1_000, 0].map(
    (snapshotEvery) => new EventStore(db, { name: `load ${snapshotEvery}`, aggregates: [Account], snapshotEvery }),
  ) as [EventStore, EventStore];
  for (const store of [kept, whole]) {
    for (let n = 0; n < LONG; n += 10) {
      const events = Array.from({ length: 10 }, () => ({ type: 'Deposited', data: { amount: 1 } }));
      await store.append(stream('account', 'long'), events, { expected: BigInt(n) });
    }
    await store.load(Account, 'long');
  }
  const load = (store: EventStore, times: number) => () =>
    timed(times, async () => {
      for (let i = 0; i < times; i++) {
        const { state } = await store.load(Account, 'long');
        if (state.balance !== LONG) throw new Error(`The balance is ${state.balance}.`);
      }
    });
  const [ours, theirs] = [load(kept, 200), load(whole, 2)];
  await ours();
  await theirs();
  const figures = await compare(7, ours, theirs);
  console.log(
    `events, load of ${LONG.toLocaleString('en')}: ${(figures.ours / 1e6).toFixed(2)} ms with a snapshot, ${(figures.theirs / 1e6).toFixed(1)} ms without`,
  );
  return { name: 'events, load with a snapshot', ...figures, target: 10, unit: 'ns' };
}
