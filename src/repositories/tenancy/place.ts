/**
 * Whose part of a store a handle works on. Every key begins with it, so no two places share one.
 *
 * `forTenant` gives generation 0 of a tenant; managed tenants live in generations from 1 on, so that neither reaches the
 * other, and a tenant that is made anew finds nothing of the one before.
 */
export interface Place {
  /** `undefined`: what belongs to no tenant. */
  readonly tenant: string | undefined;
  readonly generation: number;
}

/** What belongs to no tenant. */
export const NO_TENANT: Place = { tenant: undefined, generation: 0 };
