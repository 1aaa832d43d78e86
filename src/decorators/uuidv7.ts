import { v7 } from 'uuid';
import type { Environment } from '../core/clock.ts';

/**
 * Makes ids that sort by the time of their making.
 *
 * @example
 * ```ts
 * @Id(z.uuid(), { generate: uuidv7 }) id!: Default<Id<string>>;
 * ```
 */
export function uuidv7({ clock, random }: Environment): string {
  return v7({ random: random.bytes(16), msecs: clock.now() });
}
