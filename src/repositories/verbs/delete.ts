import type { IdPart } from '../../core/model/model.ts';
import type { Version } from '../../core/version.ts';
import type { RepositoryContext } from '../context.ts';
import type { WriteCallOptions } from '../write/member.ts';
import type { Operation } from '../write/operation.ts';
import { checkVersion } from './put.ts';

export interface DeleteOptions extends WriteCallOptions {
  /** Delete only if the record is at this version. */
  readonly ifMatch?: Version | undefined;
}

/** `delete` as an operation: whether there was a record. Works on a corrupt one too. Errors of its own: `version.mismatch`. */
export function deleteOperation(
  context: RepositoryContext,
  id: readonly IdPart[],
  { ifMatch }: DeleteOptions,
): Operation<boolean> {
  return {
    apply: (state) => {
      checkVersion(context, id, state, ifMatch);
      return undefined;
    },
    result: (before) => before !== undefined,
  };
}
