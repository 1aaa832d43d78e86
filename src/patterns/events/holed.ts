import { NorimakiError } from '../../core/errors.ts';
import { describeStream, type StreamId } from './stream-id.ts';

/** A slot is gone, or is not what it was. */
export function holed(stream: StreamId, slot: number): NorimakiError<'record.corrupt'> {
  return new NorimakiError(
    'record.corrupt',
    `${describeStream(stream)} is damaged at its slot ${slot}: somebody has deleted or changed what was written there. Restore a backup.`,
    { entity: stream.category, issues: [] },
  );
}
