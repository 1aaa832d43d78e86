import type { Meter } from './meter.ts';
import type { Sealer } from './sealer.ts';

/** What a call is about to do; a verb that reads in order to write writes. */
export type Access = 'read' | 'write';

/** What a policy is told of a call. */
export interface AdmitOptions {
  readonly signal?: AbortSignal | undefined;
}

/** Who may use a tenant's part of the store, how much of it, and how its records are closed. */
export interface TenantPolicy {
  /**
   * Asked at the door of every verb, before every page of a walk and before every batch of work in the background.
   * Returns nothing where the answer is known, which must cost next to nothing; a promise where it has to be looked up.
   * Errors: whatever it throws reaches the caller.
   */
  admit(access: Access, options: AdmitOptions): void | Promise<void>;
  /** Counts what is stored; without it nothing is counted. */
  readonly meter?: Meter | undefined;
  /** Encrypts what is stored; without it records are plain. */
  readonly sealer?: Sealer | undefined;
}
