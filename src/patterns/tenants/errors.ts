import { NorimakiError } from '../../core/errors.ts';
import type { Metric } from './usage.ts';

/** The codes of tenants, and what they carry in `details`. */
export interface TenantErrorDetails {
  /** No such tenant, or the handle is of one that was purged. */
  'tenant.unknown': { tenant: string };
  'tenant.suspended': { tenant: string };
  /** `used` is what is stored or promised to writes under way. */
  'tenant.quotaExceeded': { tenant: string; metric: Metric; limit: number; used: number };
  /** The stored plan is none of this program's. */
  'tenant.planUnknown': { tenant: string; plan: string };
}

// Reaches users because the index of the room exports the interface above: otherwise this file would be in no declaration.
declare module '../../core/errors.ts' {
  interface ErrorDetails extends TenantErrorDetails {}
}

export function unknownTenant(tenant: string): NorimakiError<'tenant.unknown'> {
  const message = `There is no tenant '${tenant}'. Make it with create().`;
  return new NorimakiError('tenant.unknown', message, { tenant });
}

export function purgedTenant(tenant: string): NorimakiError<'tenant.unknown'> {
  const message = `The tenant '${tenant}' of this handle was purged. If it was created anew, take another handle: tenants.db().`;
  return new NorimakiError('tenant.unknown', message, { tenant });
}

export function suspendedTenant(tenant: string, access: 'read' | 'write'): NorimakiError<'tenant.suspended'> {
  const message = `The tenant '${tenant}' is suspended and may not ${access}. It may again after resume().`;
  return new NorimakiError('tenant.suspended', message, { tenant });
}

export function unknownPlan(tenant: string, plan: string): NorimakiError<'tenant.planUnknown'> {
  const message = `The tenant '${tenant}' has the plan '${plan}', which this program does not know. Add it to plans, or give the tenant another one with setPlan().`;
  return new NorimakiError('tenant.planUnknown', message, { tenant, plan });
}

export function quotaExceeded(
  tenant: string,
  metric: Metric,
  limit: number,
  used: number,
): NorimakiError<'tenant.quotaExceeded'> {
  const message = `The plan of the tenant '${tenant}' ends at ${limit} ${metric}, and ${used} are in use; nothing was written. Delete something, or give it a larger plan with setPlan().`;
  return new NorimakiError('tenant.quotaExceeded', message, { tenant, metric, limit, used });
}

export function alreadyThere(tenant: string, registry: string, own: string): NorimakiError<'already.exists'> {
  const message =
    registry === own
      ? `The tenant '${tenant}' exists already.`
      : `The tenant '${tenant}' exists already, among the tenants '${registry}': one database has one tenant of a name.`;
  return new NorimakiError('already.exists', message, { entity: 'tenant' });
}
