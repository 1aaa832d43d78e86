import { NorimakiError } from '../../core/errors.ts';
import type { Capabilities } from '../../core/store.ts';

/** An ability that a block's safety hangs on, and what would happen without it. */
export interface Need {
  readonly ability: 'cas' | 'ifAbsent';
  /** Ends the sentence "without it …". */
  readonly without: string;
}

const NAMES = { cas: 'atomic compare-and-swap', ifAbsent: 'an atomic ifAbsent' } as const;

/** Refuses a store that cannot carry the promise of a block, unless its user accepts that. Errors: `capability.missing`. */
export function requireStore(
  block: string,
  capabilities: Capabilities,
  needs: readonly Need[],
  unsafe: boolean | undefined,
): void {
  if (unsafe === true) return;
  for (const { ability, without } of needs) {
    if (ability === 'cas' ? capabilities.cas === 'atomic' : capabilities.ifAbsent) continue;
    throw new NorimakiError(
      'capability.missing',
      `${block} needs a store with ${NAMES[ability]}, as without it ${without}: use the memory or the embedded store, or accept that with unsafe: true.`,
      { capability: ability, neededBy: block },
    );
  }
}
