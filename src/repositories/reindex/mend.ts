import { NorimakiError } from '../../core/errors.ts';
import type { IdPart } from '../../core/model/model.ts';
import type { Version } from '../../core/version.ts';
import type { RepositoryContext } from '../context.ts';
import { describeRecord } from '../snapshot.ts';
import type { VectorSpace } from '../vectors/space.ts';
import type { VectorContext } from '../vectors/vector-context.ts';
import { vectorId } from '../vectors/vector-id.ts';
import { randomOperationId } from '../write/next-record.ts';
import type { Operation } from '../write/operation.ts';

/** A write that leaves its record as it is brings the vectors of it up to date. */
const REFRESH: Operation<void> = { apply: (state) => state, result: () => undefined };

export function refreshRecord(
  context: RepositoryContext,
  id: readonly IdPart[],
  signal: AbortSignal | undefined,
): Promise<void> {
  return context.queues.run(context, id, context.keys.record(id), REFRESH, { signal });
}

/** A generation that a record names, at the version at which it did. */
export interface NamedVector {
  readonly id: readonly IdPart[];
  readonly space: VectorSpace;
  readonly generation: string;
  readonly version: Version;
}

export function nameOf(
  { model }: RepositoryContext,
  { id, generation }: Pick<NamedVector, 'id' | 'generation'>,
): string {
  return vectorId(() => describeRecord(model, id), id, generation);
}

/**
 * Inserts a vector that its record names and the store lacks: in a commit that checks that the record still does, and
 * that the space is still in use. `false`: look again.
 */
export async function restoreVector(
  context: RepositoryContext,
  { catalog }: VectorContext,
  named: NamedVector,
  vector: Float32Array,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { client, keys, environment } = context;
  const { id, space, version } = named;
  const state = await catalog.current();
  try {
    const outcome = await client.write(
      [
        { type: 'check', key: keys.record(id), ifMatch: version },
        { type: 'check', key: catalog.key, ifMatch: state.version },
      ],
      {
        idempotencyKey: randomOperationId(environment.random),
        vectors: [{ type: 'insert', namespace: space.namespace, id: nameOf(context, named), vector }],
        signal,
      },
    );
    if (outcome.kind === 'notApplied') throw outcome.error;
    if (outcome.kind === 'applied') return true;
    catalog.invalidate();
    return false;
  } catch (error) {
    if (!NorimakiError.is(error, 'index.missing')) throw error;
    catalog.forgetIndexes();
    return false;
  }
}
