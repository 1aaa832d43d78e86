import { NorimakiError } from '../../core/errors.ts';
import type { Store } from '../../core/store.ts';
import { refuseOneTenant } from '../../repositories/database.ts';
import type { Database } from '../../repositories/index.ts';
import { TenantPart } from '../../repositories/tenancy/part.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { requireStore } from '../shared/require-store.ts';
import { type AcrossOptions, type AcrossResult, type Audit, AuditedDoor } from './across.ts';
import { Handles } from './handles.ts';
import { type PurgeOptions, type PurgeProgress, purge } from './purge.ts';
import { type ReconcileOptions, reconcile } from './reconcile.ts';
import type { TenantState } from './records.ts';
import { Registry } from './registry.ts';
import { checkPlan, settingsOf, type TenantsOptions, UNLIMITED } from './settings.ts';
import { eachMetric, type Metric } from './usage.ts';

/** A tenant, as its record says. */
export interface Tenant<Plan extends string = string> {
  readonly id: string;
  readonly state: 'active' | 'suspended';
  /** Whether it may read while it is suspended. */
  readonly reads: boolean;
  /** How many there have been of this name. */
  readonly generation: number;
  /** The plan as it is stored; a program that does not know it gets `tenant.planUnknown` from the tenant's writes. */
  readonly plan: Plan;
  readonly createdAt: Date;
}

/** How much a tenant stores. `used` may be too much, never too little: see `reconcile`. */
export type TenantUsage = Readonly<
  Record<Metric, { readonly used: number /** `undefined`: none. */; readonly limit: number | undefined }>
>;

export interface CreateTenantOptions<Plan extends string> extends BlockCallOptions {
  readonly plan: Plan;
}

export interface SuspendOptions extends BlockCallOptions {
  /** Lets it go on reading; default `false`. */
  readonly reads?: boolean | undefined;
}

export interface TenantDbOptions {
  /**
   * - `'cached'` (default): goes by what was read of the tenant at most `policyTtl` ago.
   * - `'strong'`: reads the tenant's record at every call.
   */
  readonly read?: 'cached' | 'strong' | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface ListTenantsOptions {
  /** Begin behind this name. */
  readonly after?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Tenants of one database: who they are, what they may store, and the only handles that reach it.
 *
 * Errors of every call: `argument.invalid`, `record.corrupt`, `conflict.exhausted`, `outcome.unknown`,
 * `store.unavailable`, `store.closed`, `aborted`.
 *
 * @example
 * ```ts
 * await using tenants = new Tenants(db, { name: 'saas', plans: { free: { keys: 1_000, bytes: '10MB' }, pro: {} } });
 * await tenants.create('acme', { plan: 'free' });
 * const acme = await tenants.db('acme');
 * await acme.repo(Invoice).create({ id: '2026-1', total: 100 });
 * ```
 */
export class Tenants<St extends Store = Store, Plan extends string = string> implements AsyncDisposable {
  readonly name: string;
  readonly #db: Database<St>;
  readonly #registry: Registry;
  readonly #handles: Handles<St>;
  readonly #door: AuditedDoor;

  /** Takes the handle on the whole store. Errors: `argument.invalid`, `capability.missing`. */
  constructor(db: Database<St>, options: TenantsOptions<Plan>) {
    refuseOneTenant(db);
    const settings = settingsOf(options);
    requireStore('Tenants', db, options, {
      cas: 'a quota can be exceeded',
      ifAbsent: 'of two tenants of one name both can be created',
    });
    this.name = settings.name;
    this.#db = db;
    this.#registry = new Registry(db, settings);
    this.#handles = new Handles(db, this.#registry);
    this.#door = new AuditedDoor(db, this.#registry);
  }

  /** Makes a tenant. Errors: `already.exists`. */
  async create(id: string, { plan, ...options }: CreateTenantOptions<Plan>): Promise<Tenant<Plan>> {
    return tenantOf(await this.#registry.create(id, plan, options));
  }

  /** The tenant, or `undefined`. */
  async get(
    id: string,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Tenant<Plan> | undefined> {
    const found = await this.#registry.find(id, signal);
    return found === undefined || found.state === 'purged' ? undefined : tenantOf(found);
  }

  /** All tenants, in the order of their names. One that is made or purged meanwhile may be in it or not. */
  async *list(options: ListTenantsOptions = {}): AsyncGenerator<Tenant<Plan>, void, undefined> {
    for await (const state of this.#registry.all(options)) yield tenantOf(state);
  }

  /**
   * The tenant's part of the store, as a database of its own: it keeps to this generation of the tenant, its plan and its
   * state. Every call of it may fail with `tenant.unknown` (purged) and `tenant.suspended`, every write with
   * `tenant.quotaExceeded` and `tenant.planUnknown`. There is nothing to close. Errors: `tenant.unknown`,
   * `tenant.suspended` if it may not even read.
   */
  async db<const Name extends string>(
    id: Name,
    { read = 'cached', signal }: TenantDbOptions = {},
  ): Promise<Database<St, Name>> {
    const sent = this.#registry.environment.clock.mono();
    const state = await this.#registry.get(id, signal);
    const { standing, handle, strong } = await this.#handles.of(state, sent);
    standing.check(state, 'read');
    // Made for the tenant of this very name.
    return (read === 'strong' ? strong : handle) as Database<St, string> as Database<St, Name>;
  }

  /**
   * Gives a tenant another plan; handles go by it within `policyTtl`. What it stores beyond the new limits stays; it
   * grows no more. Errors: `tenant.unknown`.
   */
  async setPlan(id: string, plan: Plan, options: BlockCallOptions = {}): Promise<Tenant<Plan>> {
    checkPlan(this.#registry.settings.plans, plan);
    const set = (draft: TenantState): void => {
      draft.plan = plan;
    };
    return tenantOf(await this.#registry.change(id, set, options));
  }

  /** Refuses its writes, and its reads if not told otherwise, within `policyTtl`. Errors: `tenant.unknown`. */
  async suspend(id: string, { reads = false, ...options }: SuspendOptions = {}): Promise<Tenant<Plan>> {
    const suspend = (draft: TenantState): void => {
      draft.state = 'suspended';
      draft.reads = reads;
    };
    return tenantOf(await this.#registry.change(id, suspend, options));
  }

  /** Ends a suspension. Errors: `tenant.unknown`. */
  async resume(id: string, options: BlockCallOptions = {}): Promise<Tenant<Plan>> {
    const resume = (draft: TenantState): void => {
      draft.state = 'active';
      draft.reads = false;
    };
    return tenantOf(await this.#registry.change(id, resume, options));
  }

  /**
   * What is stored and promised. Beyond what is stored it counts what other processes were promised a moment ago, what
   * was promised to processes that died, and records that have expired; `reconcile` finds the truth.
   * Errors: `tenant.unknown`.
   */
  async usage(id: string, options: BlockCallOptions = {}): Promise<TenantUsage> {
    await this.#handles.giveBack(id, options);
    return this.#usageOf(await this.#registry.get(id, options.signal));
  }

  /**
   * Counts what a tenant stores by reading all of it, while others go on, and charges it that. Waits `policyTtl` and
   * `writeTimeout` first. Exact if nobody writes meanwhile; never too little. Needs a store with scan.
   * Errors: `tenant.unknown`, `capability.missing`.
   */
  async reconcile(id: string, options: ReconcileOptions = {}): Promise<TenantUsage> {
    const ring = await this.#handles.ringOf(id);
    const state = await reconcile(this.#registry, id, this.#part(id), ring, options);
    return this.#usageOf(state);
  }

  /**
   * Deletes a tenant with all that it has. From the first step on it cannot be stopped; at `unreachable` no handle of any
   * process reads or writes its data any more; then the bytes go. If the process dies the next call goes on. A tenant may
   * be created again afterwards, and has nothing of before. Needs a store with scan.
   * Errors: `tenant.unknown`, `capability.missing`.
   *
   * @example
   * ```ts
   * for await (const { stage, removed } of tenants.purge('acme', { confirm: 'acme' })) console.log(stage, removed);
   * ```
   */
  async *purge(id: string, options: PurgeOptions): AsyncGenerator<PurgeProgress, void, undefined> {
    yield* purge(this.#registry, id, this.#part(id), options);
  }

  /**
   * Works on all tenants, a few at once: the one way to do so, and each use of it is recorded before it begins and when it
   * ends. Resolves to what the work gave for each tenant, in the order of their names; for a suspended one
   * `tenant.suspended`.
   *
   * @example
   * ```ts
   * const results = await tenants.across({ reason: 'billing', actor: 'cron' }, (acme) => acme.repo(Invoice).count());
   * ```
   */
  across<T>(
    options: AcrossOptions,
    work: (db: Database<St, string>, tenant: Tenant<Plan>) => Promise<T>,
  ): Promise<AcrossResult<T>[]> {
    return this.#door.run(options, async (state) => work(await this.db(state.id, options), tenantOf(state)));
  }

  /** What was recorded of work across tenants, the oldest first. */
  audits(options: ListTenantsOptions = {}): AsyncGenerator<Audit, void, undefined> {
    return this.#door.audits(options);
  }

  /** Gives back what this process could still store without asking. Handles go on working. */
  close(): Promise<void> {
    return this.#handles.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #part(id: string): TenantPart {
    if (!this.#db.store.capabilities.scan) {
      const message = 'To purge, count, export or copy a tenant the store has to be able to scan: use another store.';
      throw new NorimakiError('capability.missing', message, { capability: 'scan', neededBy: 'Tenants' });
    }
    return new TenantPart(this.#db, id);
  }

  #usageOf(state: TenantState): TenantUsage {
    const limits = this.#registry.settings.plans.get(state.plan);
    return eachMetric((metric) => {
      const limit = limits?.[metric];
      return { used: state.charged[metric], limit: limit === UNLIMITED ? undefined : limit };
    });
  }
}

function tenantOf<Plan extends string>(state: TenantState): Tenant<Plan> {
  const { id, reads, generation, plan, createdAt } = state;
  return {
    id,
    state: state.state === 'suspended' ? 'suspended' : 'active',
    reads,
    generation,
    // Told as it is stored: `Tenant.plan` says what a program does that does not know it.
    plan: plan as Plan,
    createdAt,
  };
}
