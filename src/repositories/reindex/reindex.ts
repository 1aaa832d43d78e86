import { sharedSignal } from '../../core/abort.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { RepositoryContext } from '../context.ts';
import type { SpaceSpec } from '../vectors/space.ts';
import { countEntities } from '../verbs/list.ts';
import type { Filling } from './fill-record.ts';
import { checkReindexOptions } from './options.ts';
import { fillPass, type PassTally } from './pass.ts';
import { measureRecall } from './recall.ts';
import { begin, conflict, dropUnused, readEntry, saveCursor, spaceFor, step, switchOver } from './stages.ts';
import { type Movable, movable, targetSpec } from './target.ts';
import type { ReindexOptions, ReindexPhase, ReindexResult } from './types.ts';

/** After so many records the first pass remembers how far it has come. */
const SAVE_EVERY = 1024;
/** Writers that do not know the new embedder may undo what a pass has done. */
const MAX_PASSES = 8;

/**
 * Moves an embedding to another spec: writes to both spaces, fills the new one, compares its answers with exact ones, and
 * only then searches it. Stopped or crashed at any point, it goes on where it was when called again.
 */
export async function reindex(context: RepositoryContext, options: ReindexOptions): Promise<ReindexResult> {
  checkReindexOptions(options);
  const { recall: check, maxFailed = 0 } = options;
  const signal = sharedSignal(options.signal);
  const target = movable(context, options.field);
  const spec = targetSpec(target, options);
  await dropUnused(target, signal);
  await step(target, begin(target, spec), signal);
  const work = new Reindexing(target, spec, { ...options, signal });
  await work.count();
  if (!(await work.isSwitched())) {
    work.checkFailures(await work.fill('fill'), maxFailed);
    if (check !== false) await work.checkRecall(check ?? {});
    await step(target, switchOver(target, spec), signal);
  }
  return work.result(await work.fill('settle'));
}

/** Fills a space that is in use until a whole pass finds nothing to do. */
export async function fillSpace(
  target: Movable,
  spec: SpaceSpec,
  options: ReindexOptions,
  phase: ReindexPhase,
): Promise<void> {
  const work = new Reindexing(target, spec, { ...options, signal: sharedSignal(options.signal) });
  await work.count();
  work.checkFailures(await work.fill(phase), 0);
}

/** One call of `reindex`, on its way. */
class Reindexing {
  readonly #target: Movable;
  readonly #spec: SpaceSpec;
  readonly #options: ReindexOptions;
  readonly #filling: Filling;
  #total = 0;
  #embedded = 0;
  #recall: number | undefined;

  constructor(target: Movable, spec: SpaceSpec, options: ReindexOptions) {
    this.#target = target;
    this.#spec = spec;
    this.#options = options;
    this.#filling = { ...target, space: spaceFor(target, spec), signal: options.signal };
  }

  async count(): Promise<void> {
    this.#total = await countEntities(this.#target.context, { signal: this.#options.signal });
  }

  async isSwitched(): Promise<boolean> {
    const { building } = await readEntry(this.#target, this.#options.signal);
    return building === undefined;
  }

  /** Passes until a whole one finds nothing to do; the first goes on where the last call stopped. */
  async fill(phase: ReindexPhase): Promise<PassTally> {
    const { concurrency = 256 } = this.#options;
    const { building } = await readEntry(this.#target, this.#options.signal);
    const { cursor, done = 0 } = building ?? {};
    let from = cursor === undefined ? undefined : { cursor, done };
    let saved = done;
    for (let pass = 1; pass <= MAX_PASSES; pass++) {
      const before = this.#embedded;
      const isFirst = pass === 1 && building !== undefined;
      const tally = await fillPass(this.#filling, {
        concurrency,
        from,
        onRecord: (so) => {
          this.#embedded = before + so.embedded;
          this.#tell(phase, so);
        },
        onPage: async (next, seen) => {
          if (!isFirst || seen - saved < SAVE_EVERY) return;
          saved = seen;
          await this.#save(next, seen);
        },
      });
      this.#total = tally.done;
      if (from === undefined && tally.embedded === 0 && tally.unsettled === 0) return tally;
      from = undefined;
    }
    const message = `writers that do not have the embedder ${this.#spec.embedder} keep changing texts. Give it to them in open(store, { embedders }), then call again: nothing that is done is lost.`;
    throw conflict(this.#target, message);
  }

  async #save(cursor: string, done: number): Promise<void> {
    await step(this.#target, saveCursor(this.#target, this.#spec, { cursor, done }), this.#options.signal);
  }

  /** Errors: `reindex.incomplete`. */
  checkFailures({ failed, failures }: PassTally, maxFailed: number): void {
    if (failed <= maxFailed) return;
    const { context, embedding } = this.#target;
    const { name: entity } = context.model;
    const codes = [...new Set(failures.map(({ code }) => code))].join(', ');
    throw new NorimakiError(
      'reindex.incomplete',
      `${failed} records of ${entity} cannot be given a vector of ${embedding.name} (${codes}), so the old vectors are still searched. Change those records, allow them with maxFailed, or give up with rollbackReindex().`,
      { entity, embedding: embedding.name, failed },
    );
  }

  /** Errors: `reindex.recall`. */
  async checkRecall(check: Exclude<ReindexOptions['recall'], false | undefined>): Promise<void> {
    const { atLeast = 0.9 } = check;
    const recall = await measureRecall(this.#filling, check, (done, total) => {
      const { onProgress } = this.#options;
      onProgress?.({ phase: 'recall', done, total, embedded: this.#embedded, skipped: 0, failed: 0 });
    });
    this.#recall = recall;
    if (recall >= atLeast) return;
    const { context, embedding } = this.#target;
    const { name: entity } = context.model;
    throw new NorimakiError(
      'reindex.recall',
      `The new index of ${entity}.${embedding.name} finds ${(recall * 100).toFixed(1)} % of the nearest, less than the ${(atLeast * 100).toFixed(1)} % asked for, so the old vectors are still searched. Give up with rollbackReindex(), or ask for less with recall.`,
      { entity, embedding: embedding.name, recall, atLeast },
    );
  }

  async result({ done, failed, failures }: PassTally): Promise<ReindexResult> {
    const { active, previous } = await readEntry(this.#target, this.#options.signal);
    return {
      field: this.#target.embedding.name,
      embedder: active.embedder,
      previous: previous?.embedder,
      records: done,
      embedded: this.#embedded,
      failures,
      failed,
      recall: this.#recall,
    };
  }

  #tell(phase: ReindexPhase, { done, skipped, failed }: PassTally): void {
    const total = Math.max(this.#total, done);
    this.#options.onProgress?.({ phase, done, total, embedded: this.#embedded, skipped, failed });
  }
}
