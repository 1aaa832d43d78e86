import { NorimakiError } from '../../core/errors.ts';
import type { EmbeddingModel } from '../../core/model/model.ts';
import { canScan } from '../../core/store.ts';
import type { RepositoryContext } from '../context.ts';
import type { SpaceSpec } from '../vectors/space.ts';
import type { VectorContext } from '../vectors/vector-context.ts';
import type { ReindexOptions } from './types.ts';

/** An embedding that can be moved, and what moves it. */
export interface Movable {
  readonly context: RepositoryContext;
  readonly vectors: VectorContext;
  readonly embedding: EmbeddingModel;
}

/** Errors: `capability.missing` on a store without scan and commit, `argument.invalid` where no embedding is meant. */
export function movable(context: RepositoryContext, field: string | undefined): Movable {
  const { vectors, model, client } = context;
  const refuse = (message: string): never => {
    throw new NorimakiError('argument.invalid', message, { argument: 'field' });
  };
  if (!canScan(client.store) || !client.store.capabilities.commit) {
    throw new NorimakiError(
      'capability.missing',
      'reindex() needs a store with scan and commit, to find every record and to miss no write; the memory and the embedded store have them.',
      { capability: 'scan and commit', neededBy: 'reindex' },
    );
  }
  const { embeddings } = model;
  const named = embeddings.filter(({ name, source }) => (field === undefined ? source !== undefined : name === field));
  const [embedding, ...others] = named;
  if (vectors === undefined || embedding === undefined) {
    const names = embeddings.map(({ name }) => name).join(', ') || 'none';
    return refuse(`${model.name} has no such embedding to move; it has ${names}.`);
  }
  if (others.length > 0) {
    return refuse(
      `${model.name} has several embeddings (${named.map(({ name }) => name).join(', ')}): name one in field.`,
    );
  }
  if (embedding.source === undefined) {
    return refuse(
      `The vectors of ${model.name}.${embedding.name} are given, not made of texts: only you can give others.`,
    );
  }
  return { context, vectors, embedding };
}

/** The spec to move to: that of the code, but for what the call says. */
export function targetSpec({ vectors, embedding }: Movable, options: ReindexOptions): SpaceSpec {
  const { embedder, metric, index } = options;
  const wanted = vectors.catalog.wanted(embedding);
  if (embedder !== undefined) vectors.embedders.add(embedder);
  return {
    ...wanted,
    ...(embedder && { embedder: embedder.id, dimensions: embedder.dimensions }),
    metric: metric ?? wanted.metric,
    index: index ?? wanted.index,
  };
}
