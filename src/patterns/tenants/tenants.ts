import { NorimakiError } from '../../core/errors.ts';
import type { Store } from '../../core/store.ts';
import { refuseOneTenant } from '../../repositories/database.ts';
import type { Database } from '../../repositories/index.ts';
import { TenantPart } from '../../repositories/tenancy/part.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { requireStore } from '../shared/require-store.ts';
import { type AcrossOptions, type AcrossResult, type Audit, AuditedDoor } from './across.ts';
import { type ExportOptions, exportLines } from './export.ts';
import { Handles } from './handles.ts';
import { Import, type ImportOptions } from './import.ts';
import { endGeneration, type PurgeOptions, type PurgeProgress, purge } from './purge.ts';
import { type ReconcileOptions, reconcile } from './reconcile.ts';
import type { TenantState } from './records.ts';
import { Registry } from './registry.ts';
import { checkPlan, settingsOf, type TenantsOptions, UNLIMITED } from './settings.ts';
import type {
  CreateTenantOptions,
  ListTenantsOptions,
  SuspendOptions,
  Tenant,
  TenantDbOptions,
  TenantUsage,
} from './types.ts';
import { eachMetric } from './usage.ts';

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
   * All that a tenant has, as lines of JSON (without their ends): records of all entities and blocks, unique values, index
   * entries, vectors. Of one instant only if nobody writes meanwhile: suspend it with `reads: true` before. Encrypted
   * records are exported in the clear. Needs a store with scan. Errors: `tenant.unknown`, `capability.missing`.
   *
   * @example
   * ```ts
   * for await (const line of tenants.export('acme')) file.write(`${line}\n`);
   * ```
   */
  async *export(id: string, options: ExportOptions = {}): AsyncGenerator<string, void, undefined> {
    const part = this.#part(id);
    const state = await this.#registry.get(id, options.signal);
    yield* exportLines(state, part, await this.#handles.ringOf(id), options);
  }

  /**
   * Makes a tenant of the lines of an export, of this database or another. It is suspended until all of it is there; if that
   * fails there is no such tenant. Errors: `already.exists`, `tenant.quotaExceeded`, `argument.invalid` with the number of a
   * line that is none.
   */
  async import(
    id: string,
    lines: AsyncIterable<string> | Iterable<string>,
    options: ImportOptions<Plan>,
  ): Promise<Tenant<Plan>> {
    const part = this.#part(id);
    const ring = await this.#handles.ringOf(id);
    const state = await this.#registry.create(id, options.plan, options, 'suspended');
    try {
      return tenantOf(await new Import(this.#registry, state, part, ring, options).run(lines));
    } catch (error) {
      await this.#registry.change(id, endGeneration, {});
      throw error;
    }
  }

  /** The same from one tenant to a new one, of this database. Errors: `tenant.unknown` and those of {@link import}. */
  async clone(from: string, to: string, options: ImportOptions<Plan>): Promise<Tenant<Plan>> {
    await this.#registry.get(from, options.signal);
    return this.import(to, this.export(from, { signal: options.signal }), options);
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
