import type { EntityModel } from '../../core/model/model.ts';
import type { Version } from '../../core/version.ts';
import { hydrate } from '../entity.ts';
import type { RecordState } from '../write/operation.ts';

/** The result of a write that leaves a record. */
export function committed(model: EntityModel, after: RecordState, version: Version | undefined): object {
  if (after === undefined) throw new TypeError('A write that leaves a record has left none.');
  return hydrate(model, after.decode().values, version);
}
