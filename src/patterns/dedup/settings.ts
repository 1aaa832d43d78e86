import { type Duration, milliseconds } from '../../core/duration.ts';
import { type BlockOptions, checkName, checkWhole, refuse } from '../shared/options.ts';

/** How documents are found that have much text in common. */
export interface NearOptions {
  /** From which Jaccard similarity of their shingles two texts are duplicates; above 0 to 1, default 0.8. */
  readonly jaccard?: number | undefined;
  /** Bands of a signature, 1 to 64, default 16. More of them find more, and each costs a write. */
  readonly bands?: number | undefined;
  /** Rows of a band, 1 to 32, default 8. More of them compare less. */
  readonly rows?: number | undefined;
  /** Words of a shingle, 1 to 16, default 3. */
  readonly words?: number | undefined;
  /** Texts that one bucket remembers, the newest; 2 to 1,000, default 64. */
  readonly bucket?: number | undefined;
}

/** How documents are found that say the same in other words. */
export interface SemanticOptions<Embedding extends string = string> {
  /** The `@Embedding` of the entity that is searched. */
  readonly embedding: Embedding;
  /** From which score of the embedding's metric two documents are duplicates. It is one model's: see `calibrate`. */
  readonly threshold: number;
}

/** What `Deduplicator` is told when it is made. */
export interface DeduplicatorOptions<Field extends string = string, Embedding extends string = string>
  extends BlockOptions {
  /** The fields that are compared, in order. */
  readonly text: readonly Field[];
  /** Whether exact copies may differ in case, white space and Unicode form; default `'normalized'`. */
  readonly exact?: 'normalized' | 'verbatim' | undefined;
  /** Default: not looked for. */
  readonly near?: NearOptions | undefined;
  /** Default: not looked for. Needs a store with vectors. */
  readonly semantic?: SemanticOptions<Embedding> | undefined;
  /** Texts that are shorter, in characters once normalized, are never duplicates; default 20. */
  readonly minLength?: number | undefined;
  /** How far below a threshold a pair is put into the queue for review; 0 to 1, default 0: no queue. */
  readonly review?: number | undefined;
  /** Texts that one call compares at most, of each kind; 1 to 1,000, default 64. */
  readonly candidates?: number | undefined;
  /** How long an idempotency key is remembered; default `'7d'`. */
  readonly remember?: Duration | undefined;
}

/** The options, checked. */
export interface DedupSettings {
  readonly name: string;
  readonly fields: readonly string[];
  readonly exact: 'normalized' | 'verbatim';
  readonly near: Required<{ readonly [K in keyof NearOptions]: number }> & { readonly isOn: boolean };
  readonly semantic: SemanticOptions | undefined;
  readonly minLength: number;
  readonly review: number;
  readonly candidates: number;
  readonly remember: number;
  /** What must be the same in all programs that share the name: how texts are cut up. */
  readonly scheme: string;
}

/** Errors: `argument.invalid`. */
export function settingsOf(options: DeduplicatorOptions): DedupSettings {
  const { text, exact = 'normalized', near, semantic } = options;
  if (!Array.isArray(text) || text.length === 0 || new Set(text).size < text.length) {
    refuse('text', "text names the fields that are compared, each once: text: ['title', 'body'].");
  }
  if (exact !== 'normalized' && exact !== 'verbatim') refuse('exact', "exact is 'normalized' or 'verbatim'.");
  const { jaccard = 0.8, bands = 16, rows = 8, words = 3, bucket = 64 } = near ?? {};
  const checked = {
    isOn: near !== undefined,
    jaccard: checkShare(jaccard, 'near.jaccard'),
    bands: checkWhole(bands, 'near.bands', 1, 64),
    rows: checkWhole(rows, 'near.rows', 1, 32),
    words: checkWhole(words, 'near.words', 1, 16),
    bucket: checkWhole(bucket, 'near.bucket', 2, 1000),
  };
  if (semantic !== undefined && !Number.isFinite(semantic.threshold)) {
    refuse('semantic.threshold', 'semantic.threshold is a score of the embedding, such as 0.95 of a cosine.');
  }
  const { review = 0 } = options;
  if (!(review >= 0 && review <= 1)) refuse('review', 'review is a distance below a threshold, 0 to 1.');
  return {
    name: checkName('Deduplicator', options.name),
    fields: [...text],
    exact,
    near: checked,
    semantic,
    minLength: checkWhole(options.minLength ?? 20, 'minLength', 1, Number.MAX_SAFE_INTEGER),
    review,
    candidates: checkWhole(options.candidates ?? 64, 'candidates', 1, 1000),
    remember: milliseconds(options.remember ?? '7d', 'remember'),
    scheme: JSON.stringify([text, exact, checked.words, checked.isOn ? [checked.bands, checked.rows] : null]),
  };
}

/** A similarity. Errors: `argument.invalid`. */
export function checkShare(value: number, argument: string): number {
  return value > 0 && value <= 1 ? value : refuse(argument, `${argument} is a number above 0, at most 1.`);
}
