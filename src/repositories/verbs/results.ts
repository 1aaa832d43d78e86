import type { EntityModel } from '../../core/model/model.ts';
import type { Version } from '../../core/version.ts';
import { hydrate } from '../entity.ts';
import type { LiveRecord } from '../snapshot.ts';
import type { RecordState } from '../write/operation.ts';

/** The entity that a record holds. Errors: `record.corrupt`. */
export function entityOf(model: EntityModel, record: LiveRecord, version: Version | undefined): object {
  return hydrate(model, record.decode().values, version);
}

/** The result of a write that leaves a record. */
export function committed(model: EntityModel, after: RecordState, version: Version | undefined): object {
  if (after === undefined) throw new TypeError('A write that leaves a record has left none.');
  return entityOf(model, after, version);
}
