import { orAborted } from '../../core/abort.ts';
import type { EntitySource, ShapeOf } from '../../core/model/types.ts';
import type { BulkOptions, Database, ItemResult } from '../../repositories/index.ts';
import { forEachItem } from '../../repositories/internal.ts';
import { changeRecord } from '../shared/change-record.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { requireStore } from '../shared/require-store.ts';
import { type CalibrateOptions, type Calibration, calibrate, type LabelledPair } from './calibrate.ts';
import { type DedupContext, DedupSets } from './context.ts';
import { checkId, Documents } from './documents.ts';
import { settingsMismatch } from './errors.ts';
import { allClusters, clusterOf, keepDifferent, merge, split } from './listing.ts';
import { dedupRecords } from './records.ts';
import { reviewPairs } from './review.ts';
import { type DeduplicatorOptions, settingsOf } from './settings.ts';
import { remove, submit } from './submit.ts';
import { type SweepOptions, type SweepReport, sweep } from './sweep.ts';
import type {
  Cluster,
  DocumentInput,
  ReviewPair,
  SubmitOptions,
  Submitted,
  TextFieldOf,
  TextOf,
  Verdict,
} from './types.ts';
import { lookUp } from './verdict.ts';

/** What {@link Deduplicator.submitMany} takes. */
export type SubmitManyOptions = BulkOptions & Omit<SubmitOptions, 'idempotencyKey'>;

/**
 * Documents of which each is stored once, or its duplicates linked. Of any number that submit one text at the same time, in any
 * number of processes, exactly one is told that it is unique.
 *
 * Errors of every call: `argument.invalid`, `record.corrupt`, `store.unavailable`, `store.closed`, `aborted`,
 * `dedup.settingsMismatch`; with `semantic` also those of a search. Of every call that writes: those of a repository's write.
 *
 * @example
 * ```ts
 * const dedup = new Deduplicator(db, Article, { name: 'articles', text: ['title', 'body'], near: { jaccard: 0.8 } });
 * const verdict = await dedup.submit({ id: 'a-1', title, body });
 * if (verdict.kind === 'near') console.log(`${verdict.score} like ${verdict.of}: ${verdict.shared[0]}`);
 * ```
 */
export class Deduplicator<Source extends EntitySource> {
  readonly name: string;
  readonly #context: DedupContext;
  readonly #canScan: boolean;
  /** Whether all programs cut texts up the same way; asked once. */
  #agreed: Promise<void> | undefined;

  /**
   * `source` is the entity of the documents; its id is one string.
   * Errors: `argument.invalid`, `capability.missing`, `model.invalid`.
   */
  constructor(
    db: Database,
    source: Source,
    options: DeduplicatorOptions<TextFieldOf<Source>, ShapeOf<Source>['embedding']>,
  ) {
    const settings = settingsOf(options);
    requireStore('Deduplicator', db, options, {
      cas: 'two copies of one text can both be told to be unique',
      ifAbsent: 'two copies of one text can both be told to be unique',
    });
    this.name = settings.name;
    this.#canScan = db.store.capabilities.scan;
    this.#context = {
      settings,
      documents: new Documents(db, source, settings),
      records: dedupRecords(db),
      sets: new DedupSets(db, settings.name),
      environment: db.environment,
    };
  }

  /**
   * Stores a document and says whether it is a duplicate. The same id and text again changes nothing; the same id with another
   * text is an edit. Errors: `validation.failed`, `dedup.keyReused`.
   *
   * @example
   * ```ts
   * const verdict = await dedup.submit({ id, text }, { onDuplicate: 'reject' });
   * if (!verdict.stored) console.log('known already');
   * ```
   */
  async submit(input: DocumentInput<Source>, options: SubmitOptions = {}): Promise<Submitted> {
    await this.#agree(options);
    return submit(this.#context, input, options);
  }

  /** `submit` for many, a bounded number at once, 16 by default; one that fails does not stop the others. */
  async submitMany(
    inputs: readonly DocumentInput<Source>[],
    options: SubmitManyOptions = {},
  ): Promise<ItemResult<Submitted>[]> {
    await this.#agree(options);
    const { concurrency = 16, signal, onProgress, ...call } = options;
    return forEachItem(inputs, { concurrency, signal, onProgress }, (input) =>
      submit(this.#context, input, { ...call, signal }),
    );
  }

  /** What a document of this text would be told. Writes nothing. */
  async check(text: TextOf<Source>, options: BlockCallOptions = {}): Promise<Verdict> {
    await this.#agreeToRead(options);
    const print = this.#context.documents.printOfText(text);
    if (print.isTooShort) return { kind: 'tooShort' };
    return lookUp(this.#context, print, undefined, options);
  }

  /**
   * Deletes a document. One of its copies, or the oldest of its cluster, stands for the others from then on. Whether there was a
   * document.
   */
  async remove(id: string, options: BlockCallOptions = {}): Promise<boolean> {
    await this.#agree(options);
    return remove(this.#context, checkId(id), options);
  }

  /** The cluster of a document, itself included; `undefined` if it was not submitted, is too short, or is gone. */
  async cluster(id: string, options: BlockCallOptions = {}): Promise<Cluster | undefined> {
    await this.#agreeToRead(options);
    return clusterOf(this.#context, checkId(id), options);
  }

  /** Every cluster of two documents and more. Not a snapshot. */
  async *clusters(options: BlockCallOptions = {}): AsyncGenerator<Cluster, void, undefined> {
    await this.#agreeToRead(options);
    yield* allClusters(this.#context, options);
  }

  /** Makes one cluster of two, whatever keeps them apart. Resolves to it. Errors: `dedup.unknownDocument`. */
  async merge(one: string, other: string, options: BlockCallOptions = {}): Promise<Cluster> {
    await this.#agree(options);
    return merge(this.#context, checkId(one), checkId(other), options);
  }

  /**
   * Takes a document out of its cluster, into one of its own, which no other cluster joins by itself. Resolves to that.
   * Errors: `dedup.unknownDocument`.
   */
  async split(id: string, options: BlockCallOptions = {}): Promise<Cluster> {
    await this.#agree(options);
    return split(this.#context, checkId(id), options);
  }

  /**
   * The pairs that are below a threshold by no more than `review`, until `merge` or `keepApart` says what they are.
   *
   * @example
   * ```ts
   * for await (const { one, other, shared } of dedup.review()) {
   *   if (await ask(one, other, shared)) await dedup.merge(one, other);
   *   else await dedup.keepApart(one, other);
   * }
   * ```
   */
  async *review(options: BlockCallOptions = {}): AsyncGenerator<ReviewPair, void, undefined> {
    await this.#agreeToRead(options);
    yield* reviewPairs(this.#context, options);
  }

  /** Says that two documents are not the same: their texts are not offered for review any more. Errors: `dedup.unknownDocument`. */
  async keepApart(one: string, other: string, options: BlockCallOptions = {}): Promise<void> {
    await this.#agree(options);
    await keepDifferent(this.#context, checkId(one), checkId(other), options);
  }

  /**
   * Finds the thresholds that fit labelled pairs best, and bands and rows for them, with the rates of error. Changes nothing: make a
   * deduplicator with what it found. Errors: `dedup.unknownDocument`.
   *
   * @example
   * ```ts
   * const { near } = await dedup.calibrate(pairs);
   * console.log(near.threshold, near.bands, near.rows, near.missRate, near.rethreshold(0.7).falseRate);
   * ```
   */
  calibrate(pairs: readonly LabelledPair[], options: CalibrateOptions = {}): Promise<Calibration> {
    return calibrate(this.#context, pairs, options);
  }

  /**
   * Takes in documents that were stored without `submit`, finishes what a crash has left, takes out what was deleted or has
   * expired, and joins what was missed. Others may submit meanwhile.
   * Errors: `capability.missing` without `ids` where the store cannot scan.
   */
  async sweep(options: SweepOptions = {}): Promise<SweepReport> {
    await this.#agree(options);
    return sweep(this.#context, options, this.#canScan);
  }

  /** Errors: `dedup.settingsMismatch`. */
  async #agree({ signal }: BlockCallOptions): Promise<void> {
    this.#agreed ??= this.#sayScheme().catch((error: unknown) => {
      this.#agreed = undefined;
      throw error;
    });
    await orAborted(this.#agreed, signal);
  }

  /** The same for a call that only reads: where nothing was ever written there is nothing to disagree with. */
  async #agreeToRead({ signal }: BlockCallOptions): Promise<void> {
    if (this.#agreed !== undefined) return orAborted(this.#agreed, signal);
    const { records, settings } = this.#context;
    const head = await records.heads.get(settings.name, { signal });
    if (head === undefined) return;
    this.#compare(head);
    this.#agreed = Promise.resolve();
  }

  /** Without a signal: it is everybody's. */
  async #sayScheme(): Promise<void> {
    const { records, settings } = this.#context;
    const { name, scheme } = settings;
    const unchanged = (_draft: { readonly scheme: string }, wasAbsent: boolean): boolean => wasAbsent;
    const head = await changeRecord(records.heads, name, unchanged, {}, () => ({ scheme }));
    if (head !== undefined) this.#compare(head);
  }

  #compare(head: { readonly scheme: string }): void {
    const { name, scheme } = this.#context.settings;
    if (head.scheme !== scheme) throw settingsMismatch(name, head.scheme, scheme);
  }
}
