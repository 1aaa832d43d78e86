import type { Version } from '../core/version.ts';
import { noteField, type PropertyArguments } from './notes.ts';
import type { RangeDecorator } from './types.ts';

/**
 * Makes a field hold the version of the entity's last read or write, so that it can be saved only if nobody else did
 * since. The field is not stored.
 *
 * @example
 * ```ts
 * @Versioned() version?: Version;
 * ```
 */
export function Versioned(): RangeDecorator<Version, Version | undefined> {
  return (...args: PropertyArguments) => {
    noteField('@Versioned', args, (field) => {
      field.versioned = true;
    });
  };
}
