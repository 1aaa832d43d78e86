import { AsyncLocalStorage } from 'node:async_hooks';
import { NorimakiError } from '../../core/errors.ts';

/** The handle of the tenant that the code under way works for. */
export interface TenantContext<Handle> {
  /** Runs `fn`, and all that it starts, for a tenant. */
  run<R>(handle: Handle, fn: () => R): R;
  /** The handle. Errors: `tenant.required` outside of `run`. */
  current(): Handle;
}

/**
 * For code that a handle cannot be passed to. Nothing of this library looks at it: whoever wants the current handle asks
 * for it.
 *
 * @example
 * ```ts
 * const context = tenantContext<Database>();
 * await context.run(await tenants.db('acme'), () => handleRequest());
 * // somewhere below:
 * const invoices = context.current().repo(Invoice);
 * ```
 */
export function tenantContext<Handle>(): TenantContext<Handle> {
  const storage = new AsyncLocalStorage<Handle>();
  return {
    run: (handle, fn) => storage.run(handle, fn),
    current() {
      const handle = storage.getStore();
      if (handle !== undefined) return handle;
      const message = 'This code runs for no tenant: call it within context.run(handle, …).';
      throw new NorimakiError('tenant.required', message, { entity: 'the current tenant' });
    },
  };
}
