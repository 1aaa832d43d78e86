import type { Fenceable, Leadership } from './leadership.ts';

/** A record that a leader seals before its work begins: {@link resource} makes one. */
export interface Resource {
  seal(leadership: Leadership<unknown>): Promise<void>;
}

/** A record that `lead` seals before the work begins. */
export function resource<Id, Input>(
  repository: Fenceable<Id, Input>,
  id: Id,
  options: { readonly ifAbsent?: Input | undefined } = {},
): Resource {
  return { seal: (leadership) => leadership.seal(repository, id, options) };
}
