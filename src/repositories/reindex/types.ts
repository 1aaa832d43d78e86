import type { Embedder } from '../../core/embedder.ts';
import type { IdPart } from '../../core/model/model.ts';
import type { Metric, VectorIndexType } from '../../core/vectors/index.ts';

/**
 * - `fill`: every record gets its vector in the new space, over and over until nothing is left to do;
 * - `recall`: a sample of searches in the new space is compared with exact ones;
 * - `settle`: after the switch, records of writers that did not know the new embedder.
 */
export type ReindexPhase = 'fill' | 'recall' | 'settle';

export interface ReindexProgress {
  readonly phase: ReindexPhase;
  /** Records, or vectors in phase `recall`, that this phase has looked at. */
  readonly done: number;
  /** How many there are, as last counted. */
  readonly total: number;
  /** Records that were given a vector, of all passes of this call. */
  readonly embedded: number;
  /** Records that needed nothing, in this pass. */
  readonly skipped: number;
  /** Records that cannot be given one, in this pass. */
  readonly failed: number;
}

/** How good the answers of the new index must be before it is searched. */
export interface RecallCheck {
  /** Searches to compare; default 32. */
  readonly sample?: number | undefined;
  /** The share of the ten nearest that they must find, from 0 to 1; default 0.9. */
  readonly atLeast?: number | undefined;
}

export interface ReindexOptions<Embedding extends string = string> {
  /** Which embedding, where there are several with a text. */
  readonly field?: Embedding | undefined;
  /** Default: that of the code. */
  readonly embedder?: Embedder | undefined;
  /** Default: that of the code. */
  readonly metric?: Metric | undefined;
  /** Default: that of the code. */
  readonly index?: VectorIndexType | undefined;
  /** `false` switches without looking. */
  readonly recall?: RecallCheck | false | undefined;
  /** Switches though so many records cannot be given a vector; default 0. */
  readonly maxFailed?: number | undefined;
  /** Records under way at once, 1 to 1,000; default 256. */
  readonly concurrency?: number | undefined;
  /** Stops; the same call goes on where it stopped. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ReindexProgress) => void) | undefined;
}

/** What `finishReindex` and `rollbackReindex` take. */
export type ReindexStepOptions<Embedding extends string = string> = Pick<
  ReindexOptions<Embedding>,
  'field' | 'signal' | 'onProgress'
>;

/** A record that cannot be given a vector. */
export interface ReindexFailure {
  readonly id: readonly IdPart[];
  /** The code of the error: `embedder.rejected` where the embedder refuses the text, `validation.failed` where there is none. */
  readonly code: string;
}

export interface ReindexResult {
  readonly field: string;
  /** The id of the embedder whose vectors are searched now. */
  readonly embedder: string;
  /** The id of the one before, kept for `rollbackReindex` until `finishReindex`. */
  readonly previous: string | undefined;
  readonly records: number;
  /** Records that were given a vector. */
  readonly embedded: number;
  /** The first 100 records that cannot be given one. */
  readonly failures: readonly ReindexFailure[];
  readonly failed: number;
  /** The measured share of the nearest that the new index finds; `undefined` where it was not measured. */
  readonly recall: number | undefined;
}
