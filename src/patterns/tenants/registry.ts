import type { Environment } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import { TenantId } from '../../core/tenant-id.ts';
import type { Database } from '../../repositories/index.ts';
import { IndexDocument } from '../shared/index-document/index-document.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { alreadyThere, unknownTenant } from './errors.ts';
import { type TenantRepository, type TenantState, tenantRecords } from './records.ts';
import { checkPlan, type TenantsSettings } from './settings.ts';
import { NOTHING } from './usage.ts';

/** The records of the tenants of one `Tenants`, and the list of their names. */
export class Registry {
  readonly records: TenantRepository;
  readonly settings: TenantsSettings;
  readonly environment: Environment;
  /** Holds every tenant there is; what is in it and has no record was about to be created. */
  readonly #ids: IndexDocument;

  constructor(db: Database, settings: TenantsSettings) {
    this.settings = settings;
    this.records = tenantRecords(db);
    this.environment = db.environment;
    this.#ids = new IndexDocument(db, { name: `tenants/${settings.name}` });
  }

  /** Errors: `already.exists`. */
  async create(
    id: string,
    plan: string,
    options: BlockCallOptions,
    state: 'active' | 'suspended' = 'active',
  ): Promise<TenantState> {
    TenantId(id);
    checkPlan(this.settings.plans, plan);
    const { name: registry } = this.settings;
    const createdAt = new Date(this.environment.clock.now());
    // First, so that none is missing in the list.
    await this.#ids.add(id, options);
    return this.records.mutate(
      id,
      (draft) => {
        if (draft.registry !== registry || draft.state !== 'purged') throw alreadyThere(id, draft.registry, registry);
        draft.state = state;
        draft.reads = false;
        draft.plan = plan;
        draft.createdAt = createdAt;
      },
      { ...options, ifAbsent: () => ({ ...blank(registry), plan, createdAt }) },
    );
  }

  /** Of a purged one too, if asked for. */
  async find(id: string, signal: AbortSignal | undefined): Promise<TenantState | undefined> {
    const found = await this.records.get(id, { signal });
    return found?.registry === this.settings.name ? found : undefined;
  }

  /** Errors: `tenant.unknown`. */
  async get(id: string, signal: AbortSignal | undefined): Promise<TenantState> {
    const found = await this.find(id, signal);
    if (found === undefined || found.state === 'purged') throw unknownTenant(id);
    return found;
  }

  /** Changes a tenant that there is. Errors: `tenant.unknown`. */
  change(id: string, fn: (draft: TenantState) => void, options: BlockCallOptions): Promise<TenantState> {
    return this.changeAny(
      id,
      (draft) => {
        if (draft.state === 'purged') throw unknownTenant(id);
        fn(draft);
      },
      options,
    );
  }

  /** The same, of a purged one too. Errors: `tenant.unknown`. */
  changeAny(id: string, fn: (draft: TenantState) => void, options: BlockCallOptions): Promise<TenantState> {
    TenantId(id);
    const change = (draft: TenantState): void => {
      if (draft.registry !== this.settings.name) throw unknownTenant(id);
      fn(draft);
    };
    return this.records.mutate(id, change, options).catch((error: unknown) => {
      throw NorimakiError.is(error, 'not.found') ? unknownTenant(id) : error;
    });
  }

  /** All tenants there are, in the order of their names. */
  async *all(options: { after?: string | undefined; signal?: AbortSignal | undefined }): AsyncGenerator<TenantState> {
    for await (const ids of this.#ids.pages(options)) {
      const found = await this.records.getMany(ids, { signal: options.signal });
      for (const one of found) {
        if (one !== undefined && one.state !== 'purged' && one.registry === this.settings.name) yield one;
      }
    }
  }
}

function blank(registry: string): Omit<TenantState, 'id' | 'plan' | 'createdAt'> {
  return {
    registry,
    // Until it was made.
    state: 'purged',
    reads: false,
    generation: 1,
    charged: NOTHING,
    account: 0,
    isSwept: true,
  };
}
