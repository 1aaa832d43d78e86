import { abortedError, sharedSignal } from '../../core/abort.ts';
import type { Environment } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { Patience } from '../shared/patience.ts';
import { blankShard, type Head, headOf } from './head.ts';
import { dealtKeys } from './key-ring.ts';
import type { CounterRecords, HeadRecord, ShardRecord } from './records.ts';
import { type CounterSettings, checkSame } from './settings.ts';
import { merged, readTally, writeTally } from './tally.ts';

/** The shards of the next generation, once decided on. */
export type Next = NonNullable<HeadRecord['next']>;

/**
 * Which shards count. Shards are replaced all at once, in four steps of which each may be repeated by anybody: the head says what
 * comes next; every shard is sealed, so that nothing changes in it any more; the next shards get the keys of the sealed
 * ones; the head takes over their counts and names the next shards. Whoever meets a sealed shard does what is left to do,
 * so a crash on the way stops nobody.
 */
export class Generations {
  readonly #settings: CounterSettings;
  readonly #records: CounterRecords;
  readonly #environment: Environment;
  #known: Head | undefined;

  constructor(settings: CounterSettings, records: CounterRecords, environment: Environment) {
    this.#settings = settings;
    this.#records = records;
    this.#environment = environment;
  }

  /** The head as far as it is known here. */
  get latest(): Head | undefined {
    return this.#known;
  }

  /** The head, perhaps an older one: then its shards are sealed. `undefined` if the counter is not stored. */
  async known(signal: AbortSignal | undefined): Promise<Head | undefined> {
    return this.#known ?? (await this.read(signal));
  }

  /** The head as it is now. */
  async read(signal: AbortSignal | undefined): Promise<Head | undefined> {
    const record = await this.#records.heads.get(this.#settings.name, { signal });
    return record && this.#learn(headOf(record));
  }

  /** The head, perhaps an older one, of a counter that is stored at the latest now. */
  async stored(signal: AbortSignal | undefined): Promise<Head> {
    return (await this.known(signal)) ?? (await this.#store(signal));
  }

  /** The head after one whose shards were found sealed. Errors: `record.corrupt`. */
  async after(old: Head, signal: AbortSignal | undefined): Promise<Head> {
    if (this.#known !== undefined && this.#known.generation > old.generation) return this.#known;
    const head = await this.read(signal);
    if (head !== undefined && head.next !== undefined) return this.#finish(head, head.next, signal);
    if (head !== undefined && head.generation > old.generation) return head;
    throw new NorimakiError(
      'record.corrupt',
      `The head of the counter '${old.name}' is older than its shards: it was deleted, or comes from a backup. Restore all records of the counter from one backup.`,
      { entity: 'norimaki.counter', issues: [{ path: ['generation'], message: 'is older than the shards' }] },
    );
  }

  /** Replaces the shards by those that `decide` makes of the head; by none if it returns `undefined`. */
  async replace(decide: (head: Head) => Next | undefined, options: BlockCallOptions): Promise<Head> {
    const { name } = this.#settings;
    const { signal } = options;
    const patience = new Patience(`The counter '${name}'`, this.#environment, options);
    for (;;) {
      const head = (await this.read(signal)) ?? (await this.#store(signal));
      if (head.next === undefined) {
        const next = decide(head);
        if (next === undefined) return head;
        if (await this.#begin(head, next, options)) return this.#finishOwn(head, next, signal);
      } else {
        await this.#finish(head, head.next, signal);
      }
      await patience.next();
    }
  }

  async #store(signal: AbortSignal | undefined): Promise<Head> {
    const { name, shards, bounds, window } = this.#settings;
    const first = (): Omit<HeadRecord, 'name'> => ({
      epoch: 0,
      generation: 0,
      shards,
      min: bounds.min?.toString(),
      max: bounds.max?.toString(),
      window: window && { ...window },
      carried: [],
      next: undefined,
    });
    return this.#learn(headOf(await this.#records.heads.mutate(name, () => {}, { ifAbsent: first, signal })));
  }

  #learn(head: Head): Head {
    checkSame(this.#settings, head);
    if (this.#known === undefined || head.generation >= this.#known.generation) this.#known = head;
    return head;
  }

  /** `false`: somebody else decided first. */
  async #begin({ generation }: Head, next: Next, { signal, retry }: BlockCallOptions): Promise<boolean> {
    let isMine = false;
    const decide = (head: HeadRecord): void => {
      isMine = head.generation === generation && head.next === undefined;
      if (isMine) head.next = next;
    };
    await this.#records.heads.mutate(this.#settings.name, decide, { signal, retry });
    return isMine;
  }

  /** A failure on the way does not undo what was decided. */
  async #finishOwn(head: Head, next: Next, signal: AbortSignal | undefined): Promise<Head> {
    try {
      return await this.#finish(head, next, signal);
    } catch (error) {
      if (signal?.aborted) throw abortedError(signal, 'unknown');
      const message = `The change of the counter '${head.name}' was decided on, and failed half-way. Whoever uses the counter next completes it; nothing is lost.`;
      throw new NorimakiError('outcome.unknown', message, { entity: 'norimaki.counter' }, { cause: error });
    }
  }

  /** What it makes follows from sealed shards alone, so that all who do it make the same. */
  async #finish(head: Head, next: Next, given: AbortSignal | undefined): Promise<Head> {
    const signal = sharedSignal(given);
    const sealed = await this.#seal(head, signal);
    const counts = [head.carried, ...sealed.map((shard) => readTally(shard.counts))];
    const successor: Head = {
      ...head,
      epoch: head.epoch + (next.isReset ? 1 : 0),
      generation: head.generation + 1,
      shards: next.shards,
      carried: next.isReset ? [] : merged(counts, head.window),
      next: undefined,
    };
    await this.#found(
      successor,
      dealtKeys(
        sealed.map(({ keys }) => keys),
        next.shards,
      ),
      signal,
    );
    const takeOver = (record: HeadRecord): void => {
      if (record.generation !== head.generation) return;
      const { epoch, generation, shards, carried } = successor;
      Object.assign(record, { epoch, generation, shards, carried: writeTally(carried), next: undefined });
    };
    return this.#learn(headOf(await this.#records.heads.mutate(head.name, takeOver, { signal })));
  }

  #seal(head: Head, signal: AbortSignal | undefined): Promise<ShardRecord[]> {
    const { name, generation } = head;
    const seal = (record: { sealed: boolean }): void => {
      record.sealed = true;
    };
    return Promise.all(
      Array.from({ length: head.shards }, (_, shard) => {
        const ifAbsent = (): ReturnType<typeof blankShard> => blankShard(head, shard);
        return this.#records.shards.mutate({ name, generation, shard }, seal, { ifAbsent, signal });
      }),
    );
  }

  /** A shard without keys comes into being with its first count. */
  async #found(head: Head, rings: readonly string[], signal: AbortSignal | undefined): Promise<void> {
    const { name, generation } = head;
    await Promise.all(
      rings.map(async (keys, shard) => {
        if (keys === '') return;
        const ifAbsent = (): ReturnType<typeof blankShard> => blankShard(head, shard, keys);
        await this.#records.shards.mutate({ name, generation, shard }, () => {}, { ifAbsent, signal });
      }),
    );
  }
}
