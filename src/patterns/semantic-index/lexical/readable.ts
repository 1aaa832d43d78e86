import { NorimakiError } from '../../../core/errors.ts';
import type { RecordSeen } from '../../../repositories/internal.ts';

/** The entity of a record; what has gone, and what cannot be read, is none. */
export function readable(record: RecordSeen | undefined): object | undefined {
  try {
    return record?.entity();
  } catch (error) {
    if (NorimakiError.is(error, 'record.corrupt')) return undefined;
    throw error;
  }
}
