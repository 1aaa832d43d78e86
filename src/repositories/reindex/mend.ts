import { NorimakiError } from '../../core/errors.ts';
import type { IdPart } from '../../core/model/model.ts';
import type { VectorWrite } from '../../core/vectors/index.ts';
import type { Version } from '../../core/version.ts';
import type { EmbeddingClient } from '../../embedders/index.ts';
import type { RepositoryContext } from '../context.ts';
import { describeRecord } from '../snapshot.ts';
import { renewed } from '../vectors/decide.ts';
import type { VectorEntry } from '../vectors/entry.ts';
import { textsBehind } from '../vectors/passages.ts';
import type { VectorSpace } from '../vectors/space.ts';
import type { VectorContext } from '../vectors/vector-context.ts';
import { vectorIds } from '../vectors/vector-id.ts';
import { randomOperationId } from '../write/next-record.ts';
import type { Operation } from '../write/operation.ts';

/** A write that leaves its record as it is brings its vectors up to date; those of generation `renew` anyhow. */
export function refreshRecord(
  context: RepositoryContext,
  id: readonly IdPart[],
  signal: AbortSignal | undefined,
  renew?: string,
): Promise<void> {
  const refresh: Operation<void> = { apply: (state) => renewed(state, renew), result: () => undefined };
  return context.queues.run(context, id, context.keys.record(id), refresh, { signal });
}

/** The vectors that a record names in a space, at the version at which it did. */
export interface NamedVectors {
  readonly id: readonly IdPart[];
  readonly space: VectorSpace;
  readonly entry: VectorEntry;
  readonly version: Version;
}

export function namesOf(
  { model }: RepositoryContext,
  { id, entry }: Pick<NamedVectors, 'id' | 'entry'>,
): readonly string[] {
  return vectorIds(() => describeRecord(model, id), id, entry);
}

/** Embeds what a record names and the store lacks, and inserts it. Errors: those of the embedder. */
export async function restoreVectors(
  context: RepositoryContext,
  vectors: VectorContext,
  named: NamedVectors,
  text: string,
  embedder: EmbeddingClient,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { id, space, entry } = named;
  const texts = textsBehind(space.spec, entry, text);
  // Others have cut it elsewhere: what they named of it nobody here can make.
  if (texts === undefined) return refreshRecord(context, id, signal, entry.generation);
  const names = namesOf(context, named);
  const found = await context.client.vectors.getMany(space.namespace, names, { signal });
  const inserts = await Promise.all(
    names.flatMap((name, i) => (found[i] === undefined ? [insertOf(name, texts[i] ?? text)] : [])),
  );
  if (inserts.length > 0) await commitVectors(context, vectors, named, inserts, signal);

  async function insertOf(name: string, piece: string): Promise<VectorWrite> {
    const vector = await embedder.embed(piece, { signal });
    return { type: 'insert', namespace: space.namespace, id: name, vector };
  }
}

/**
 * In a commit that checks that the record still names them, and that the space is still in use. Where it was refused, or
 * nobody knows, the next look tells.
 */
async function commitVectors(
  context: RepositoryContext,
  { catalog }: VectorContext,
  { id, version }: NamedVectors,
  inserts: readonly VectorWrite[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const { client, keys, environment } = context;
  const state = await catalog.current();
  try {
    const outcome = await client.write(
      [
        { type: 'check', key: keys.record(id), ifMatch: version },
        { type: 'check', key: catalog.key, ifMatch: state.version },
      ],
      {
        idempotencyKey: randomOperationId(environment.random),
        vectors: inserts,
        signal,
      },
    );
    if (outcome.kind === 'notApplied') throw outcome.error;
    if (outcome.kind !== 'applied') catalog.invalidate();
  } catch (error) {
    if (!NorimakiError.is(error, 'index.missing')) throw error;
    catalog.forgetIndexes();
  }
}
