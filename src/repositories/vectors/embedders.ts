import type { Embedder } from '../../core/embedder.ts';
import { NorimakiError } from '../../core/errors.ts';
import { type EmbeddingClient, embeddingClient } from '../../embedders/index.ts';

/** The embedders that a program has at hand, by their ids. */
export class Embedders {
  readonly #default: Embedder | undefined;
  readonly #clients = new Map<string, EmbeddingClient>();

  constructor(first: Embedder | undefined, others: readonly Embedder[]) {
    this.#default = first;
    if (first !== undefined) this.add(first);
    for (const embedder of others) this.add(embedder);
  }

  /** The first of one id is kept: it may have a cache. */
  add(embedder: Embedder): void {
    if (!this.#clients.has(embedder.id)) this.#clients.set(embedder.id, embeddingClient(embedder));
  }

  get(id: string): EmbeddingClient | undefined {
    return this.#clients.get(id);
  }

  /** The embedder of an embedding: its own, or that of `open`. Errors: `capability.missing`. */
  of(own: Embedder | undefined, embedding: string): Embedder {
    const embedder = own ?? this.#default;
    if (embedder !== undefined) {
      this.add(embedder);
      return embedder;
    }
    throw new NorimakiError(
      'capability.missing',
      `The embedding ${embedding} needs an embedder: pass one, as in open(store, { embedder: hashingEmbedder() }).`,
      { capability: 'embedder', neededBy: embedding },
    );
  }
}
