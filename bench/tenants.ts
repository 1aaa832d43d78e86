import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store } from '../src/core/store.ts';
import { defineEntity, open, systemEnvironment } from '../src/index.ts';
import { embedded } from '../src/stores/embedded/index.ts';
import { memory } from '../src/stores/memory/index.ts';
import { compare, timed } from './compare.ts';
import type { BenchRow } from './row.ts';
import { standardEntity, standardSchema } from './standard-entity.ts';

const RECORDS = 1_000;
const READS = 20_000;
const WRITES = 2_000;
const ROUNDS = 15;
/** A scoped call may take 3 % longer: what the tenant adds to keys and envelopes. */
const TARGET = 0.97;

const Product = defineEntity('product', standardSchema, { id: 'sku' });
const OwnProduct = defineEntity('own-product', standardSchema, { id: 'sku', tenantScoped: true });

/** A call through a tenant's handle beside the same call through the handle on the whole store, in turns. */
export async function tenantsBench(): Promise<BenchRow[]> {
  const folder = await mkdtemp(join(tmpdir(), 'norimaki-bench-'));
  const stores: readonly [string, Store][] = [
    ['memory', await memory().openStore(systemEnvironment)],
    ['embedded', await embedded({ path: folder, durability: 'committed' }).openStore(systemEnvironment)],
  ];
  try {
    const rows: BenchRow[] = [];
    for (const [kind, store] of stores) rows.push(...(await beside(kind, store)));
    return rows;
  } finally {
    for (const [, store] of stores) await store.close();
    await rm(folder, { recursive: true });
  }
}

async function beside(kind: string, store: Store): Promise<BenchRow[]> {
  const db = await open(store);
  const acme = db.forTenant('acme');
  const [whole, scoped, owned] = [db.repo(Product), acme.repo(Product), acme.repo(OwnProduct)];
  for (let n = 0; n < RECORDS; n++) {
    for (const repo of [whole, scoped, owned]) await repo.put(standardEntity(n));
  }
  const gets = (repo: Pick<typeof whole, 'get'>) => async () => {
    for (let i = 0; i < READS; i++) await repo.get(`NORI-${i % RECORDS}`);
  };
  const puts = (repo: Pick<typeof whole, 'put'>) => async () => {
    for (let i = 0; i < WRITES; i++) await repo.put({ ...standardEntity(i % RECORDS), stock: i });
  };
  return [
    await row(`${kind}: get of a tenant`, READS, gets(scoped), gets(whole)),
    await row(`${kind}: @TenantScoped() get`, READS, gets(owned), gets(whole)),
    await row(`${kind}: put of a tenant`, WRITES, puts(scoped), puts(whole)),
  ];
}

async function row(
  name: string,
  calls: number,
  ours: () => Promise<void>,
  theirs: () => Promise<void>,
): Promise<BenchRow> {
  // Both warm.
  await ours();
  await theirs();
  const times = await compare(
    ROUNDS,
    () => timed(calls, ours),
    () => timed(calls, theirs),
  );
  return { name, ...times, target: TARGET, unit: 'ns' };
}
