import type { KeyPart } from '../core/keys/index.ts';
import { noteField, type PropertyArguments } from './notes.ts';
import type { RangeDecorator } from './types.ts';

/**
 * Lets `find` and `count` look entities up by this field. Fields that share a name form one index, in order of
 * declaration: conditions on the leading ones, a range on the last.
 *
 * @example
 * ```ts
 * @Field(z.string()) @Index('byAge') city!: string;
 * @Field(z.number()) @Index('byAge') age!: number;
 * ```
 */
export function Index(name?: string): RangeDecorator<never, KeyPart | undefined> {
  return (...args: PropertyArguments) => {
    noteField('@Index', args, (field, fieldName) => {
      // The lowest decorator of a field runs first.
      field.index.unshift(name ?? fieldName);
    });
  };
}
