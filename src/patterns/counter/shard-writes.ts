import { sharedSignal } from '../../core/abort.ts';
import type { Environment } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import { Coalescer } from '../shared/coalescer.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { type Attempt, applyAdds, type Outcome, type ShardDraft } from './change.ts';
import { type Loan, takeRoom } from './escrow.ts';
import { blankShard, type Head } from './head.ts';
import type { CounterRecords } from './records.ts';
import { bucketAt } from './tally.ts';

/** One shard of a generation. */
interface Place {
  readonly head: Head;
  readonly shard: number;
}

/** What was counted, and whether somebody else wrote to the shard meanwhile. */
export interface Written {
  readonly outcome: Outcome;
  readonly hadConflict: boolean;
}

/** Writes to shards: adds that wait for the same one share a write. */
export class ShardWrites {
  readonly #records: CounterRecords;
  readonly #environment: Environment;
  readonly #together: Coalescer<Place, Attempt, Written>;
  /** Writes that counted something. */
  writes = 0;

  constructor(records: CounterRecords, environment: Environment) {
    this.#records = records;
    this.#environment = environment;
    this.#together = new Coalescer((place, attempts, signal) => this.#write(place, attempts, { signal }));
  }

  /** Adds at a shard. With a `retry` of its own it does not wait for others. */
  add(head: Head, shard: number, attempt: Attempt, { signal, retry }: BlockCallOptions): Promise<Written> {
    const place = { head, shard };
    if (retry === undefined) return this.#together.add(`${head.generation}/${shard}`, place, attempt, signal);
    // One for each attempt.
    return this.#write(place, [attempt], { signal, retry }).then(([written]) => written as Written);
  }

  /** How much room other shards gave up. Until it is added to another it belongs to nobody. */
  async borrow(head: Head, loans: readonly Loan[], isUp: boolean, options: BlockCallOptions): Promise<bigint> {
    const { retry } = options;
    const signal = sharedSignal(options.signal);
    const lent = await Promise.all(
      loans.map(async ({ shard, amount }) => {
        let taken = 0n;
        const take = (draft: ShardDraft): void => {
          taken = draft.sealed ? 0n : takeRoom(draft, isUp, amount);
        };
        try {
          await this.#mutate({ head, shard }, take, { signal, retry });
          return taken;
        } catch (error) {
          if (!(error instanceof NorimakiError) || signal?.aborted) throw error;
          // It may have given and may not; what is not certain does not count.
          return 0n;
        }
      }),
    );
    return lent.reduce((sum, amount) => sum + amount, 0n);
  }

  async #write(place: Place, attempts: readonly Attempt[], options: BlockCallOptions): Promise<Written[]> {
    const { window } = place.head;
    const at = bucketAt(window, this.#environment.clock.now());
    let runs = 0;
    let outcomes: readonly Outcome[] = [];
    const change = (draft: ShardDraft): void => {
      runs++;
      outcomes = applyAdds(draft, attempts, window, at);
    };
    await this.#mutate(place, change, options);
    if (outcomes.includes('counted')) this.writes++;
    return outcomes.map((outcome) => ({ outcome, hadConflict: runs > 1 }));
  }

  async #mutate(
    { head, shard }: Place,
    change: (draft: ShardDraft) => void,
    { signal, retry }: BlockCallOptions,
  ): Promise<void> {
    const { name, generation } = head;
    const ifAbsent = (): ReturnType<typeof blankShard> => blankShard(head, shard);
    await this.#records.shards.mutate({ name, generation, shard }, change, { ifAbsent, signal, retry });
  }
}
