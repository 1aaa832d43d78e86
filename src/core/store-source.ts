import type { Environment } from './clock.ts';
import { NorimakiError } from './errors.ts';
import type { Store, StoreOpener, StoreSource } from './store.ts';

/** A store in use, and how its user lets go of it: one that was handed in open stays open. */
export interface OpenedSource<S extends Store> {
  readonly store: S;
  release(): Promise<void>;
}

function isOpener<S extends Store>(source: StoreSource<S>): source is StoreOpener<S> {
  return 'openStore' in source;
}

/** For programs without types; `usage` shows a right call. Errors: `argument.invalid`. */
export function checkSource(source: unknown, usage: string): void {
  if (typeof source === 'object' && source !== null && ('openStore' in source || 'capabilities' in source)) return;
  throw new NorimakiError('argument.invalid', usage, { argument: 'store' });
}

/** Opens what is not open yet. */
export async function openSource<S extends Store>(
  source: StoreSource<S>,
  environment: Environment,
): Promise<OpenedSource<S>> {
  if (!isOpener(source)) return { store: source, release: async () => {} };
  const store = await source.openStore(environment);
  return { store, release: () => store.close() };
}
