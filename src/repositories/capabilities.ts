import { NorimakiError } from '../core/errors.ts';
import type { EntityModel } from '../core/model/model.ts';
import { canCommit, canScan, type Store } from '../core/store.ts';

/** Refuses an entity whose promises the store cannot keep. Errors: `capability.missing`. */
export function checkCapabilities({ name, uniques, indexes }: EntityModel, store: Store): void {
  const { cas, ifAbsent, deleteIfMatch } = store.capabilities;
  const refuse = (capability: string, neededBy: string, cure: string): never => {
    const message = `${name} needs a store with ${capability} for its ${neededBy}. ${cure}`;
    throw new NorimakiError('capability.missing', message, { capability, neededBy });
  };
  const canClaim = cas === 'atomic' && ifAbsent && deleteIfMatch;
  if (uniques.length > 0 && !canCommit(store) && !canClaim) {
    refuse('commit or an atomic ifAbsent', '@Unique', 'Use the memory or the embedded store, or drop the constraint.');
  }
  if (indexes.length > 0 && !(canScan(store) && canCommit(store))) {
    refuse('scan and commit', '@Index', 'Use the memory or the embedded store, or drop the index.');
  }
}
