import { z } from 'zod';
import { openRecord } from '../../../src/core/codec/index.ts';
import { decodeTuple } from '../../../src/core/keys/index.ts';
import type { CommitOperation, Key, ScanStore, Store } from '../../../src/core/store.ts';
import { type Database, defineEntity, open } from '../../../src/index.ts';
import type { TenantsOptions } from '../../../src/patterns/tenants/settings.ts';
import { Tenants } from '../../../src/patterns/tenants/tenants.ts';
import { usageOf } from '../../../src/repositories/tenancy/metering.ts';
import {
  type FaultKind,
  type FaultStore,
  faultStore,
  type ManualClock,
  seededRandom,
} from '../../../src/testing/index.ts';
import { StoreWrapper } from '../../../src/testing/store-wrapper.ts';
import { SkewedClock } from '../../support/skewed-clock.ts';

export const Note = defineEntity('note', z.object({ id: z.string(), text: z.string().default('') }), { id: 'id' });

export const User = defineEntity('user', z.object({ id: z.string(), email: z.string(), age: z.number().default(0) }), {
  id: 'id',
  unique: ['email'],
  index: ['age'],
});

export const PLANS = {
  tiny: { keys: 5 },
  free: { keys: 50, bytes: '20kB', vectors: 10 },
  pro: {},
} as const;

/** One process on a store: a database, a wall clock, chance and faults of its own. */
export interface TenantsProcess {
  readonly db: Database<ScanStore>;
  readonly tenants: Tenants<ScanStore, keyof typeof PLANS>;
  readonly faulty: FaultStore;
  readonly clock: SkewedClock;
}

export interface TenantsProcessOptions extends Partial<TenantsOptions<keyof typeof PLANS>> {
  readonly trueClock: ManualClock;
  readonly seed: number;
  readonly faults?: Partial<Record<FaultKind, number>> | undefined;
  readonly script?: Parameters<typeof faultStore>[1]['script'];
}

export async function startTenants(
  store: Store,
  { trueClock, seed, faults, script, ...options }: TenantsProcessOptions,
): Promise<TenantsProcess> {
  const clock = new SkewedClock(trueClock);
  const faulty = faultStore(store, {
    random: seededRandom(seed + 1),
    clock: trueClock,
    faults,
    script,
    maxDelay: 20,
  });
  // Every store of these tests scans.
  const db = (await open(faulty, { clock, random: seededRandom(seed) })) as unknown as Database<ScanStore>;
  return { db, faulty, clock, tenants: new Tenants(db, { name: 'saas', plans: PLANS, ...options }) };
}

/** What is stored of a tenant, and what its record says, at one instant. */
export interface Observed {
  readonly tenant: string;
  readonly stored: { readonly keys: number; readonly bytes: number; readonly vectors: number };
  readonly charged: { readonly keys: number; readonly bytes: number; readonly vectors: number };
}

/** Passes everything on, and looks at all that is stored after every write. */
export class ObservingStore extends StoreWrapper {
  readonly #look: (all: readonly Observed[]) => void;
  readonly #opened: (key: Key, value: Uint8Array) => Uint8Array;
  looks = 0;

  constructor(
    inner: Store,
    look: (all: readonly Observed[]) => void,
    opened: (key: Key, value: Uint8Array) => Uint8Array = (_key, value) => value,
  ) {
    super(inner);
    this.#look = look;
    this.#opened = opened;
  }

  override async put(...call: Parameters<Store['put']>): ReturnType<Store['put']> {
    const version = await super.put(...call);
    await this.look();
    return version;
  }

  override async delete(...call: Parameters<Store['delete']>): ReturnType<Store['delete']> {
    const was = await super.delete(...call);
    await this.look();
    return was;
  }

  override async commit(
    operations: readonly CommitOperation[],
    options?: Parameters<StoreWrapper['commit']>[1],
  ): ReturnType<StoreWrapper['commit']> {
    const version = await super.commit(operations, options);
    await this.look();
    return version;
  }

  async look(): Promise<void> {
    this.looks++;
    this.#look(await observe(this, this.#opened));
  }
}

interface TenantJson {
  readonly id: string;
  readonly generation: number;
  readonly charged: Observed['charged'];
}

/** One page of everything, which is a snapshot. */
export async function observe(
  store: Pick<StoreWrapper, 'scan'>,
  opened: (key: Key, value: Uint8Array) => Uint8Array = (_key, value) => value,
): Promise<Observed[]> {
  const { entries, rest } = await store.scan(
    { start: new Uint8Array(), end: Uint8Array.of(255, 255, 255, 255) },
    { limit: 1000 },
  );
  if (rest !== undefined) throw new Error('There is too much in the store for one page.');
  const stored = new Map<string, { keys: number; bytes: number; vectors: number }>();
  const records: TenantJson[] = [];
  for (const { key, value } of entries) {
    const [, tenant, generation, entity, kind] = decodeTuple(key);
    if (kind !== 'r') continue;
    if (entity === 'norimaki.tenant')
      records.push((JSON.parse(Buffer.from(value).toString()) as { json: TenantJson }).json);
    if (tenant === null) continue;
    const { envelope } = openRecord(opened(key, value), () => 'a record', String(entity));
    const counted = usageOf(envelope, value.length);
    const name = `${String(tenant)}/${String(generation)}`;
    const sum = stored.get(name) ?? { keys: 0, bytes: 0, vectors: 0 };
    sum.keys += counted.records;
    sum.bytes += counted.bytes;
    sum.vectors += counted.vectors;
    stored.set(name, sum);
  }
  return records.map(({ id, generation, charged }) => ({
    tenant: id,
    charged,
    stored: stored.get(`${id}/${generation}`) ?? { keys: 0, bytes: 0, vectors: 0 },
  }));
}

/** The last step of a purge. */
export async function purged(tenants: Tenants<Store, string>, id: string): Promise<string[]> {
  const stages: string[] = [];
  for await (const { stage } of tenants.purge(id, { confirm: id })) stages.push(stage);
  return stages;
}
