import type { KeyPart } from '../core/keys/index.ts';
import { noteField, type PropertyArguments } from './notes.ts';
import type { RangeDecorator } from './types.ts';

/**
 * Refuses a second entity with the same value, and lets `findOne` look it up. Fields that share a name form one
 * constraint on all of them together, in order of declaration.
 *
 * @example
 * ```ts
 * @Field(z.email()) @Unique() email!: string;
 * ```
 */
export function Unique(name?: string): RangeDecorator<never, KeyPart | undefined> {
  return (...args: PropertyArguments) => {
    noteField('@Unique', args, (field, fieldName) => {
      // The lowest decorator of a field runs first.
      field.unique.unshift(name ?? fieldName);
    });
  };
}
