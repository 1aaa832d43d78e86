import { z } from 'zod';
import type { Store } from '../../core/store.ts';
import { defineEntity } from '../../decorators/index.ts';
import type { Database, RepositoryOf } from '../../repositories/index.ts';

const amount = z.int();
const amounts = z.object({ keys: amount, bytes: amount, vectors: amount });

const tenant = z.object({
  id: z.string(),
  /** The name of the `Tenants` that it belongs to. */
  registry: z.string(),
  state: z.enum(['active', 'suspended', 'purged']),
  /** While suspended: whether it may read. */
  reads: z.boolean(),
  /** In which generation of its part of the store it lives. Of a purged one: will live, if it is made anew. */
  generation: z.int().positive(),
  plan: z.string(),
  createdAt: z.date(),
  /** What is stored, and what processes may store besides; never less than is stored. */
  charged: amounts,
  /** Counts reconciliations: what a process may store by an earlier account is void. */
  account: z.int().nonnegative(),
  /** While a reconciliation is under way: what was handed out under this account, less what was given back. */
  granted: amounts.optional(),
  /** Whether anything of earlier generations may be left in the store. */
  isSwept: z.boolean(),
});

/** The one record that decides about a tenant. */
const TenantRecord = defineEntity('norimaki.tenant', tenant, {
  id: 'id',
  // Written by many; the more operations it remembers, the rarer is `outcome.unknown`.
  ring: 64,
});

const audit = z.object({
  /** Ids are in the order of time. */
  id: z.string(),
  registry: z.string(),
  reason: z.string(),
  actor: z.string(),
  startedAt: z.date(),
  /** Unset while the work is under way, and of what died. */
  completedAt: z.date().optional(),
  /** Tenants for which the work was done. */
  done: z.int().nonnegative(),
  failed: z.int().nonnegative(),
});

const AuditRecord = defineEntity('norimaki.tenant.audit', audit, { id: 'id' });

export type TenantState = z.output<typeof tenant>;
export type AuditState = z.output<typeof audit>;
export type TenantRepository = RepositoryOf<typeof TenantRecord, Store>;
export type AuditRepository = RepositoryOf<typeof AuditRecord, Store>;

export function tenantRecords(db: Database): TenantRepository {
  return db.repo(TenantRecord);
}

export function auditRecords(db: Database): AuditRepository {
  return db.repo(AuditRecord);
}
