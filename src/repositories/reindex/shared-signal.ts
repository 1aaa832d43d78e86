import { setMaxListeners } from 'node:events';

/** A signal that many calls at once may listen to, which Node would take for a leak. */
export function sharedSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined) return undefined;
  const shared = AbortSignal.any([signal]);
  setMaxListeners(0, shared);
  return shared;
}
