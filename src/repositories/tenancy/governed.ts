import type { Store } from '../../core/store.ts';
import { checkTenantId } from '../../core/tenant-id.ts';
import { Database, refuseOneTenant, sharedOf } from '../database.ts';
import type { TenantPolicy } from './policy.ts';

/** What a governed handle is made of. */
export interface GovernedOptions<Tenant extends string> {
  readonly tenant: Tenant;
  /** From 1 on: generation 0 is what `db.forTenant()` gives to everybody. */
  readonly generation: number;
  readonly policy: TenantPolicy;
}

/**
 * A handle on one generation of a tenant, under a policy. It keeps to that generation for its whole life, and no other
 * handle reaches the same records. `db` is the handle on the whole store. Errors: `argument.invalid`.
 */
export function governed<St extends Store, Tenant extends string>(
  db: Database<St>,
  { tenant, generation, policy }: GovernedOptions<Tenant>,
): Database<St, Tenant> {
  refuseOneTenant(db);
  checkTenantId(tenant);
  if (!Number.isSafeInteger(generation) || generation < 1)
    throw new TypeError('A generation is a whole number from 1.');
  return new Database(sharedOf(db), { tenant, generation, policy });
}
