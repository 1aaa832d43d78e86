import type { NorimakiError } from './errors.ts';

export interface EmbedOptions {
  readonly signal?: AbortSignal | undefined;
}

/** What became of one text: its vector, or why it has none. */
export type Embedded = Float32Array | readonly number[] | NorimakiError;

/**
 * Turns texts into vectors.
 *
 * @example
 * ```ts
 * const embedder: Embedder = {
 *   id: 'acme/tiny@3',
 *   dimensions: 2,
 *   embed: async (texts) => texts.map((text) => [text.length, text.split(' ').length]),
 * };
 * ```
 */
export interface Embedder {
  /** Names the provider, the model and its revision. Vectors of two ids are never compared with each other. */
  readonly id: string;
  /** The length of its vectors. */
  readonly dimensions: number;
  /**
   * One answer for each text, in order. A text that this embedder cannot take is answered by its own error, and the
   * others by their vectors. Rejects where no text got an answer.
   *
   * Errors: `embedder.unavailable` (try again), `embedder.rejected` (the same call will not succeed), `aborted`.
   */
  embed(texts: readonly string[], options?: EmbedOptions): Promise<readonly Embedded[]>;
}
