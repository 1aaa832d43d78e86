import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Store } from '../src/core/store.ts';
import { defineEntity, open, systemEnvironment } from '../src/index.ts';
import { Tenants } from '../src/patterns/index.ts';
import { embedded } from '../src/stores/embedded/index.ts';
import { memory } from '../src/stores/memory/index.ts';
import { compare, timed } from './compare.ts';
import { CountingStore } from './counting-store.ts';
import type { BenchRow } from './row.ts';

const Note = defineEntity('note', z.object({ id: z.string(), text: z.string() }), { id: 'id' });
const TEXT = 'x'.repeat(200);
const ROUNDS = 5;

/** Writes of a tenant with a quota beside those of a plain scope: the same store, the same entity. */
export async function quotasBench(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'norimaki-bench-'));
  const stores: readonly [string, Store][] = [
    ['memory', await memory().openStore(systemEnvironment)],
    ['embedded', await embedded({ path: folder }).openStore(systemEnvironment)],
  ];
  try {
    const rows: BenchRow[] = [];
    for (const [kind, store] of stores) {
      for (const writers of [1, 64]) rows.push(...(await beside(kind, store, writers)));
    }
    return rows;
  } finally {
    for (const [, store] of stores) await store.close();
    await rm(folder, { recursive: true });
  }
}

async function beside(kind: string, inner: Store, writers: number): Promise<BenchRow[]> {
  const [one, other] = [new CountingStore(inner), new CountingStore(inner)];
  const db = await open(one);
  await using tenants = new Tenants(db, {
    name: 'bench',
    plans: { large: { keys: 1e9, bytes: '1TB', vectors: 0 } },
  });
  const id = `${kind} ${writers}`;
  await tenants.create(id, { plan: 'large' });
  const metered = (await tenants.db(id)).repo(Note);
  const plain = (await open(other)).forTenant(id).repo(Note);
  const turns = Math.ceil((kind === 'memory' ? 2000 : 320) / writers);
  let next = 0;
  let stored = 1;
  const round = (notes: Pick<typeof metered, 'create'>) => () => {
    if (notes === metered) stored += writers * turns;
    return timed(writers * turns, async () => {
      await Promise.all(
        Array.from({ length: writers }, async () => {
          for (let turn = 0; turn < turns; turn++) await notes.create({ id: `${next++}`, text: TEXT });
        }),
      );
    });
  };
  await metered.create({ id: 'first', text: TEXT });
  await plain.create({ id: 'first', text: TEXT });
  one.reset();
  other.reset();
  const time = await compare(ROUNDS, round(metered), round(plain));
  const total = ROUNDS * writers * turns;
  const [ours, theirs] = [one, other].map(({ calls }) => (calls * 1000) / total) as [number, number];
  await tenants.close();
  const { keys } = await tenants.usage(id);
  if (keys.used !== stored) throw new Error(`Of ${stored} records ${keys.used} are counted.`);
  const label = `${kind}, ${writers} writers`;
  return [
    { name: `${label}: a write with a quota`, ...time, target: 0.6, unit: 'ns' },
    { name: `${label}: calls`, ours, theirs, ratio: theirs / ours, target: 0.9, unit: '/ 1000 writes' },
  ];
}
