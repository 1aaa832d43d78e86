import { setImmediate } from 'node:timers/promises';

/** Lets everything else that waits have its turn: for long work that would block the event loop. */
export function nextTurn(): Promise<void> {
  return setImmediate();
}
