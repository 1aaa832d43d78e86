import type { TenantId } from '../core/tenant-id.ts';
import { type ClassContext, noteClass } from './notes.ts';

/** A decorator of a class with a field that shows whose an entity is; also of an abstract one that entities extend. */
export type TenantScopedDecorator = (
  target: abstract new () => { readonly tenant: TenantId },
  context?: ClassDecoratorContext,
) => void;

/**
 * Makes the records of an entity belong to a tenant: only a handle of one has a repository of it. The field `tenant`
 * tells the compiler so, shows whose an entity is, and keeps what was read in one tenant from being written in another. It
 * is not stored as a field, and need not be given.
 *
 * @example
 * ```ts
 * @Entity('invoice')
 * @TenantScoped()
 * class Invoice {
 *   @Id() id!: Id<string>;
 *   @Field(z.number()) total!: number;
 *   readonly tenant!: TenantId;
 * }
 * const invoices = db.forTenant('acme').repo(Invoice);
 * ```
 */
export function TenantScoped(): TenantScopedDecorator {
  return (target: object, context: ClassContext) => {
    noteClass(target, context, (notes) => {
      if (notes.tenantScoped) notes.problems.push({ text: 'has @TenantScoped() twice. Keep one.' });
      notes.tenantScoped = true;
    });
  };
}
