import type { Environment } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import { Coalescer } from '../shared/coalescer.ts';
import type { BlockCallOptions } from '../shared/options.ts';
import { Patience } from '../shared/patience.ts';
import { type Appended, type Attempt, type Decided, type Decision, decideCommits } from './decide-commits.ts';
import { commitTooLarge } from './errors.ts';
import { commitsOf, findPlaced } from './find-placed.ts';
import type { SlotWriter } from './slot-writer.ts';
import { describeStream, type StreamId, streamName } from './stream-id.ts';
import { MAX_PROBE, type Tails, tailOf } from './tails.ts';

/**
 * Appends to streams. Attempts of one process that wait for the same stream share a slot: whoever writes it decides all of
 * them, in the order in which they came.
 */
export class Appends {
  readonly #tails: Tails;
  readonly #writer: SlotWriter;
  readonly #environment: Environment;
  readonly #together: Coalescer<StreamId, Attempt, Decision>;

  constructor(tails: Tails, writer: SlotWriter, environment: Environment) {
    this.#tails = tails;
    this.#writer = writer;
    this.#environment = environment;
    this.#together = new Coalescer((stream, attempts, signal) => this.#write(stream, attempts, { signal }));
  }

  /** Errors: those of the decision, `events.commitTooLarge`, `conflict.exhausted`, and those of a write. */
  async append(stream: StreamId, attempt: Attempt, { signal, retry }: BlockCallOptions): Promise<Appended> {
    const decision =
      retry === undefined
        ? await this.#together.add(streamName(stream), stream, attempt, signal)
        : // One for each attempt.
          ((await this.#write(stream, [attempt], { signal, retry }))[0] as Decision);
    if ('error' in decision) throw decision.error;
    return decision;
  }

  async #write(stream: StreamId, attempts: readonly Attempt[], options: BlockCallOptions): Promise<Decision[]> {
    try {
      return [...(await this.#decide(stream, attempts, options)).decisions];
    } catch (error) {
      if (!NorimakiError.is(error, 'size.exceeded')) throw error;
      const [first] = attempts;
      if (attempts.length === 1) return [{ error: commitTooLarge(stream, first?.events.length ?? 0, error) }];
      // Together they are too large for a slot.
      const half = attempts.length >>> 1;
      const before = await this.#write(stream, attempts.slice(0, half), options);
      return [...before, ...(await this.#write(stream, attempts.slice(half), options))];
    }
  }

  async #decide(stream: StreamId, attempts: readonly Attempt[], options: BlockCallOptions): Promise<Decided> {
    const { signal } = options;
    const patience = new Patience(describeStream(stream), this.#environment, options);
    let tail = await this.#tails.hint(stream, signal);
    let placed = await findPlaced(this.#tails, stream, tail, attempts, signal);
    let isRecent = false;
    const look = async (): Promise<void> => {
      const now = await this.#tails.advance(stream, tail, signal);
      tail = now.tail;
      // It has moved so far that what was passed is not all there was.
      if (now.passed.length >= MAX_PROBE) placed = await findPlaced(this.#tails, stream, tail, attempts, signal);
      else placed = [...placed, ...now.passed.flatMap(commitsOf)];
      isRecent = true;
    };
    for (;;) {
      const decided = decideCommits(stream, tail, attempts, placed);
      // An end that was seen a while ago is good enough to try with, as only the true one can be written to; to refuse
      // somebody it is not.
      if (!isRecent && decided.decisions.some((decision) => 'error' in decision)) {
        await look();
        continue;
      }
      if (decided.commits.length === 0) return decided;
      const slot = await this.#writer.write(stream, tail, decided, options);
      if (slot !== undefined) {
        const end = this.#tails.note(stream, tailOf(slot));
        await this.#tails.follow(stream, end, tail.slot);
        return decided;
      }
      await patience.next();
      await look();
    }
  }
}
