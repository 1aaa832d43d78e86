import type { EntityModel } from '../../core/model/model.ts';
import type { Keyspace } from '../keyspace.ts';
import type { StoreClient } from '../store-client.ts';
import { Catalog } from './catalog.ts';
import type { Embedders } from './embedders.ts';

/** What the verbs of an entity with embeddings work with, beside the rest. */
export interface VectorContext {
  readonly catalog: Catalog;
  readonly embedders: Embedders;
}

/** `undefined` for an entity without embeddings. Errors: `capability.missing` for one whose embedder is not there. */
export function vectorContext({
  model,
  keys,
  client,
  embedders,
}: {
  readonly model: EntityModel;
  readonly keys: Keyspace;
  readonly client: StoreClient;
  readonly embedders: Embedders;
}): VectorContext | undefined {
  if (model.embeddings.length === 0) return undefined;
  for (const { name, source, embedder } of model.embeddings) {
    if (source !== undefined) embedders.of(embedder, `${model.name}.${name}`);
  }
  const { catalog: key, scope } = keys;
  return { catalog: new Catalog({ key, scope, embeddings: model.embeddings, embedders, client }), embedders };
}
