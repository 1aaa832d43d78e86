import { NorimakiError } from '../../core/errors.ts';
import type { IdPart } from '../../core/model/model.ts';
import type { RepositoryContext } from '../context.ts';
import { firstDeadline, type TtlOption } from '../deadline.ts';
import type { Input } from '../entity.ts';
import { describeRecord } from '../snapshot.ts';
import type { WriteCallOptions } from '../write/member.ts';
import { firstRecord, operationIdOf, remembers } from '../write/next-record.ts';
import type { Operation } from '../write/operation.ts';
import { committed } from './results.ts';

export interface CreateOptions extends WriteCallOptions {
  /** How long the record lives; default: its own `@Ttl` field, else the default of its class. */
  readonly ttl?: TtlOption | undefined;
  /** Repeating the call with the same key, in any process, creates once and returns the entity each time. */
  readonly idempotencyKey?: string | undefined;
}

/** `create` as an operation. Errors of its own: `already.exists`. */
export function createOperation(
  context: RepositoryContext,
  id: readonly IdPart[],
  input: Input,
  { ttl, idempotencyKey }: CreateOptions,
): Operation<object> {
  const { model, environment } = context;
  const operationId = idempotencyKey === undefined ? undefined : operationIdOf('create', idempotencyKey);
  return {
    expectsAbsent: true,
    apply: (state) => {
      if (state === undefined) {
        const values = { ...input.values };
        const expiresAt = firstDeadline(model, values, environment.clock.now(), ttl);
        return firstRecord(context, id, { values, given: input.given, expiresAt, operationId });
      }
      if (operationId !== undefined && remembers(state.envelope, operationId)) return state;
      const message = `${describeRecord(model, id)} exists. To overwrite it use put, to change it use mutate.`;
      throw new NorimakiError('already.exists', message, { entity: model.name });
    },
    result: (_before, after, version) => committed(model, after, version),
  };
}
