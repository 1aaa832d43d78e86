import { NorimakiError } from '../../core/errors.ts';
import type { Database } from '../../repositories/index.ts';
import type { BlockOptions } from './options.ts';

/** What would happen on a store without each ability that a block's safety hangs on; ends the sentence "without it …". */
export interface Without {
  readonly cas: string;
  readonly ifAbsent: string;
}

/** Refuses a store that cannot carry the promise of a block, unless its user accepts that. Errors: `capability.missing`. */
export function requireStore(
  block: string,
  { store: { capabilities } }: Database,
  { unsafe }: Pick<BlockOptions, 'unsafe'>,
  without: Without,
): void {
  if (unsafe === true) return;
  if (capabilities.cas !== 'atomic') throw missing(block, 'cas', 'atomic compare-and-swap', without.cas);
  if (!capabilities.ifAbsent) throw missing(block, 'ifAbsent', 'an atomic ifAbsent', without.ifAbsent);
}

function missing(
  block: string,
  capability: keyof Without,
  name: string,
  without: string,
): NorimakiError<'capability.missing'> {
  return new NorimakiError(
    'capability.missing',
    `${block} needs a store with ${name}, as without it ${without}: use the memory or the embedded store, or accept that with unsafe: true.`,
    { capability, neededBy: block },
  );
}
