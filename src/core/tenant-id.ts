import { NorimakiError } from './errors.ts';

declare const tenantBrand: unique symbol;

/**
 * The name of a tenant, checked. As the type of a field, `readonly tenant!: TenantId`, it marks an entity whose records
 * belong to a tenant: see `@TenantScoped()`.
 */
export type TenantId<T extends string = string> = T & { readonly [tenantBrand]: T };

/** The text of a tenant's name, whether it is branded or not. */
export type TenantName<T extends string> = T extends TenantId<infer Name> ? Name : T;

const MAX_BYTES = 128;

/**
 * Checks the name of a tenant: well-formed Unicode, not empty, at most 128 bytes as UTF-8. Names are compared as they are:
 * `'Acme'` and `'acme'` are two tenants. Errors: `argument.invalid`.
 *
 * @example
 * ```ts
 * const acme = db.forTenant(TenantId('acme'));
 * ```
 */
export function TenantId<const T extends string>(name: T): TenantId<T> {
  checkTenantId(name);
  // The brand says no more than that it was checked.
  return name as TenantId<T>;
}

/** Errors: `argument.invalid`. */
export function checkTenantId(name: unknown): void {
  if (typeof name !== 'string' || name === '' || !name.isWellFormed()) {
    refuse('A tenant is a string of well-formed Unicode, not empty.');
  }
  const bytes = Buffer.byteLength(name);
  if (bytes > MAX_BYTES)
    refuse(`A tenant's name has ${bytes} bytes; the limit is ${MAX_BYTES}. Use a short, stable id.`);
}

function refuse(message: string): never {
  throw new NorimakiError('argument.invalid', message, { argument: 'tenant' });
}
