import type { BlockCallOptions } from '../shared/options.ts';
import type { Metric } from './usage.ts';

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
