import { createHash } from 'node:crypto';
import { abortedError, orAborted } from '../core/abort.ts';
import type { Embedded, Embedder, EmbedOptions } from '../core/embedder.ts';
import { NorimakiError } from '../core/errors.ts';

export interface FakeEmbedderOptions {
  /** Default `'fake@1'`. */
  readonly id?: string | undefined;
  /** Default 16. */
  readonly dimensions?: number | undefined;
}

/** An embedder for tests: every text has a vector of its own, always the same, and every call is on record. */
export interface FakeEmbedder extends Embedder {
  /** The texts of each call, in order. */
  readonly calls: readonly (readonly string[])[];
  /** How often a text was sent. */
  timesSent(text: string): number;
  /** The vector of a text, not counted as a call. */
  vectorOf(text: string): Float32Array;
  /** From now on every call fails with this, or succeeds again: an outage. */
  fail(error: NorimakiError | undefined): void;
  /** These texts are refused, alone, with `embedder.rejected`. */
  readonly poison: Set<string>;
  /** Calls wait here until it is resolved; `undefined` lets them pass. */
  gate: Promise<void> | undefined;
}

class Fake implements FakeEmbedder {
  readonly id: string;
  readonly dimensions: number;
  readonly calls: string[][] = [];
  readonly poison = new Set<string>();
  gate: Promise<void> | undefined;
  #failure: NorimakiError | undefined;

  constructor({ id = 'fake@1', dimensions = 16 }: FakeEmbedderOptions) {
    this.id = id;
    this.dimensions = dimensions;
  }

  timesSent(text: string): number {
    return this.calls.flat().filter((sent) => sent === text).length;
  }

  vectorOf(text: string): Float32Array {
    // As many bytes as it takes, uniform, so that two texts are as good as never near.
    const bytes = createHash('shake256', { outputLength: this.dimensions * 4 })
      .update(`${this.id} ${text}`)
      .digest();
    const values = Array.from({ length: this.dimensions }, (_, i) => bytes.readInt32LE(i * 4));
    const norm = Math.hypot(...values);
    return Float32Array.from(values, (value) => value / norm);
  }

  fail(error: NorimakiError | undefined): void {
    this.#failure = error;
  }

  async embed(texts: readonly string[], { signal }: EmbedOptions = {}): Promise<readonly Embedded[]> {
    if (signal?.aborted) throw abortedError(signal);
    this.calls.push([...texts]);
    if (this.gate !== undefined) await orAborted(this.gate, signal);
    if (this.#failure !== undefined) throw this.#failure;
    return texts.map((text) =>
      this.poison.has(text)
        ? new NorimakiError('embedder.rejected', 'The fake embedder refuses this text.', { embedder: this.id })
        : this.vectorOf(text),
    );
  }
}

/**
 * An embedder without a model, for tests of what stands on one.
 *
 * @example
 * ```ts
 * const embedder = fakeEmbedder();
 * await using db = await open(memory(), { embedder });
 * embedder.fail(new NorimakiError('embedder.unavailable', 'Down.', { embedder: embedder.id }));
 * ```
 */
export function fakeEmbedder(options: FakeEmbedderOptions = {}): FakeEmbedder {
  return new Fake(options);
}
