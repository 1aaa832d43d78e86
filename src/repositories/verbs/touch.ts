import type { IdPart } from '../../core/model/model.ts';
import type { RepositoryContext } from '../context.ts';
import { nextDeadline, type TtlOption } from '../deadline.ts';
import type { WriteCallOptions } from '../write/member.ts';
import { decodeToChange, nextRecord } from '../write/next-record.ts';
import type { Operation } from '../write/operation.ts';
import { notFound } from './mutate.ts';
import { committed } from './results.ts';

export interface TouchOptions extends WriteCallOptions {
  /** Default `'renew'`: the default of the class, from now. */
  readonly ttl?: TtlOption | undefined;
}

/** `touch` as an operation: a new deadline, nothing else. Errors of its own: `not.found`, `argument.invalid`. */
export function touchOperation(
  context: RepositoryContext,
  id: readonly IdPart[],
  { ttl = 'renew' }: TouchOptions,
): Operation<object> {
  const { model, environment } = context;
  return {
    apply: (state) => {
      if (state === undefined) throw notFound(context, id);
      const { values, unknown } = decodeToChange(context, id, state);
      const expiresAt = nextDeadline(model, values, state.envelope.expiresAt, environment.clock.now(), ttl);
      return nextRecord(context, id, state, { values, unknown, expiresAt });
    },
    result: (_before, after, version) => committed(model, after, version),
  };
}
