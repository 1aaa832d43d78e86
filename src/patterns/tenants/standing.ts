import { orAborted } from '../../core/abort.ts';
import type { Environment } from '../../core/clock.ts';
import type { Access } from '../../repositories/internal.ts';
import { purgedTenant, suspendedTenant, unknownPlan } from './errors.ts';
import type { TenantRepository, TenantState } from './records.ts';
import type { TenantsSettings } from './settings.ts';
import type { Amounts } from './usage.ts';

/**
 * What this process knows of one generation of a tenant. What was read holds for `policyTtl` from before the read was
 * sent, on the monotonic clock: so after a change and a wait of that long nobody goes by what was before.
 */
export class Standing {
  readonly tenant: string;
  readonly generation: number;
  readonly #records: TenantRepository;
  readonly #settings: TenantsSettings;
  readonly #environment: Environment;
  #known: TenantState | undefined;
  #sent = Number.NEGATIVE_INFINITY;
  #renewal: Promise<TenantState> | undefined;

  constructor(
    { id, generation }: Pick<TenantState, 'id' | 'generation'>,
    records: TenantRepository,
    settings: TenantsSettings,
    environment: Environment,
  ) {
    this.tenant = id;
    this.generation = generation;
    this.#records = records;
    this.#settings = settings;
    this.#environment = environment;
  }

  /** What is known, if it still holds. */
  fresh(): TenantState | undefined {
    const { policyTtl, maxDriftRate } = this.#settings;
    const isFresh = this.#environment.clock.mono() < this.#sent + policyTtl * (1 - maxDriftRate);
    return isFresh ? this.#known : undefined;
  }

  /** Takes in what was read, or written, by a call that was sent at an instant of the monotonic clock. */
  learn(state: TenantState, sent: number): void {
    if (sent < this.#sent) return;
    this.#known = state;
    this.#sent = sent;
  }

  /** Reads anew; calls that wait at the same time share a read. Errors: `tenant.unknown`, and those of a read. */
  renew(signal: AbortSignal | undefined): Promise<TenantState> {
    this.#renewal ??= this.read(undefined).finally(() => {
      this.#renewal = undefined;
    });
    return orAborted(this.#renewal, signal);
  }

  /** The same with a read of one's own, which begins now. */
  async read(signal: AbortSignal | undefined): Promise<TenantState> {
    const sent = this.#environment.clock.mono();
    const state = await this.#records.get(this.tenant, { signal });
    if (state === undefined) throw purgedTenant(this.tenant);
    this.learn(state, sent);
    return state;
  }

  /** Errors: `tenant.unknown`, `tenant.suspended`. */
  check({ state, reads, generation }: TenantState, access: Access): void {
    if (generation !== this.generation || state === 'purged') throw purgedTenant(this.tenant);
    if (state === 'suspended' && !(reads && access === 'read')) throw suspendedTenant(this.tenant, access);
  }

  /** Errors: `tenant.planUnknown`. */
  limitsOf({ plan }: TenantState): Amounts {
    const limits = this.#settings.plans.get(plan);
    if (limits === undefined) throw unknownPlan(this.tenant, plan);
    return limits;
  }
}
