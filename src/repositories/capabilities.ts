import { NorimakiError } from '../core/errors.ts';
import type { EntityModel } from '../core/model/model.ts';
import { canCommit, canScan, hasVectors, type Store } from '../core/store.ts';

/** Refuses an entity whose promises the store cannot keep. Errors: `capability.missing`. */
export function checkCapabilities({ name, uniques, indexes, embeddings }: EntityModel, store: Store): void {
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
  if (embeddings.length > 0 && !(hasVectors(store) && cas === 'atomic' && ifAbsent)) {
    const cure = 'Use the memory or the embedded store, or drop the embedding.';
    refuse('vectors and atomic compare-and-swap', '@Embedding', cure);
  }
  const isDeferred = embeddings.some(({ mode }) => mode === 'deferred');
  if (isDeferred && !(canScan(store) && canCommit(store))) {
    refuse(
      'scan and commit',
      "@Embedding with mode 'deferred'",
      "Use mode 'inline', or the memory or the embedded store.",
    );
  }
}
