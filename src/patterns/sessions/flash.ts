import type { Draft } from './change.ts';
import type { Flash } from './session-record.ts';

/** Leaves a message for `takeFlash`. */
export function flashed(flash: Flash): (draft: Draft) => void {
  return (draft) => {
    draft.flashes = [...(draft.flashes ?? []), flash];
  };
}

/** Takes all messages off a session; `taken` gets them. */
export function takenFlashes(taken: (flashes: Flash[]) => void): (draft: Draft) => void {
  return (draft) => {
    taken(draft.flashes ?? []);
    draft.flashes = undefined;
  };
}
