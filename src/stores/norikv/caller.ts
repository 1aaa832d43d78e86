import type { Environment } from '../../core/clock.ts';
import { type Applied, NorimakiError } from '../../core/errors.ts';
import { fullJitter } from '../../core/retry/index.ts';
import type { Key } from '../../core/store.ts';
import type { Cluster } from './cluster.ts';
import { NotLeaderError, UnreachableError, unavailable } from './failures.ts';
import type { Patience } from './patience.ts';
import { type Answer, isWrite, type RequestOf, type Transport, type Verb } from './transport.ts';

/** How long a shard may be without a leader. The first touch of one takes a plain server 150 to 300 ms. */
const BUDGET_MS = 5_000;
const WAITS = { maxAttempts: Number.POSITIVE_INFINITY, deadline: BUDGET_MS, base: 25, cap: 250 };

/**
 * Finds the node that leads a key, and nothing else: what fails otherwise is for the retries above.
 *
 * A write that a plain server answered with NOT_LEADER may have been applied. It is sent again as it was, with its
 * `ifMatch` and its idempotency key; a mismatch that it then meets may be its own doing, and is told as unknown.
 */
export class Caller {
  readonly #cluster: Cluster;
  readonly #transports: readonly Transport[];
  readonly #environment: Environment;

  constructor(cluster: Cluster, transports: readonly Transport[], environment: Environment) {
    this.#cluster = cluster;
    this.#transports = transports;
    this.#environment = environment;
  }

  async call<V extends Verb>(request: RequestOf<V>, key: Key, patience: Patience): Promise<Answer<V>> {
    const shard = this.#cluster.shardOf(key);
    const at = this.#cluster.leaderOf(shard);
    try {
      return await this.#ask(at, request, patience);
    } catch (error) {
      if (!this.#isElsewhere(error)) throw error;
      const ask = (node: number): Promise<Answer<V>> => this.#ask(node, request, patience);
      return this.#search(shard, at, ask, isWrite(request.$case), patience, error);
    }
  }

  /** The same for what is no verb and changes nothing; `ask` is given the position of a node. */
  async reach<T>(key: Key, patience: Patience, ask: (at: number) => Promise<T>): Promise<T> {
    const shard = this.#cluster.shardOf(key);
    const at = this.#cluster.leaderOf(shard);
    try {
      return await ask(at);
    } catch (error) {
      if (!this.#isElsewhere(error)) throw error;
      return this.#search(shard, at, ask, false, patience, error);
    }
  }

  #ask<V extends Verb>(at: number, request: RequestOf<V>, patience: Patience): Promise<Answer<V>> {
    // The cluster names nodes by their position.
    return (this.#transports[at] as Transport).call(request, patience);
  }

  /** Asks the others, and all again after a wait, until one leads. */
  async #search<T>(
    shard: number,
    first: number,
    ask: (at: number) => Promise<T>,
    isWriting: boolean,
    patience: Patience,
    reason: Error,
  ): Promise<T> {
    const { clock } = this.#environment;
    const started = clock.mono();
    let applied: Applied = appliedOf(reason);
    let last = reason;
    // Where nobody can be reached, nobody knows a leader: that is for other retries.
    let isAnswered = reason instanceof NotLeaderError;
    let asked = new Set([first]);
    let at = first;
    for (let round = 1; ; ) {
      this.#cluster.forget(shard, at);
      const next = this.#nextOf(shard, asked);
      if (next === undefined) {
        const wait = fullJitter(round, WAITS, this.#environment.random);
        if (!isAnswered || clock.mono() - started + wait > BUDGET_MS) throw noLeader(last, applied);
        await this.#wait(wait, patience, applied);
        round += 1;
        asked = new Set();
        isAnswered = false;
        continue;
      }
      at = next;
      asked.add(at);
      try {
        const answer = await ask(at);
        this.#cluster.learn(shard, at);
        return answer;
      } catch (error) {
        if (!this.#isElsewhere(error)) throw applied === 'no' ? error : inDoubt(error, isWriting);
        if (appliedOf(error) === 'unknown') applied = 'unknown';
        isAnswered ||= error instanceof NotLeaderError;
        last = error;
      }
    }
  }

  #nextOf(shard: number, asked: ReadonlySet<number>): number | undefined {
    const leader = this.#cluster.leaderOf(shard);
    if (!asked.has(leader)) return leader;
    const next = this.#transports.findIndex((_, at) => !asked.has(at));
    return next === -1 ? undefined : next;
  }

  async #wait(ms: number, patience: Patience, applied: Applied): Promise<void> {
    try {
      await this.#environment.clock.sleep(ms, { signal: patience.signal });
    } catch {
      throw patience.failure(applied);
    }
  }

  /** Whether another node may answer: this one does not lead, or cannot be reached. */
  #isElsewhere(error: unknown): error is Error {
    return error instanceof NotLeaderError || (this.#cluster.size > 1 && error instanceof UnreachableError);
  }
}

function appliedOf(error: Error): Applied {
  return error instanceof NotLeaderError ? error.applied : 'no';
}

function noLeader(last: Error, applied: Applied): NorimakiError {
  if (!(last instanceof NotLeaderError)) {
    // A failure of the network, from which other retries may recover.
    return unavailable(last.message, applied, last);
  }
  return unavailable(`No node leads the shard of the key; asked for ${BUDGET_MS} ms.`, applied);
}

/** An earlier try may have been applied, so what this one met says nothing. */
function inDoubt(error: unknown, isWriting: boolean): unknown {
  if (!isWriting) return error;
  const isCertain = NorimakiError.is(error, 'version.mismatch') || NorimakiError.is(error, 'already.exists');
  const message = 'The leader of the key moved while it was written; the write may have been applied.';
  return isCertain ? unavailable(message, 'unknown', error) : withDoubt(error);
}

function withDoubt(error: unknown): unknown {
  if (NorimakiError.is(error, 'store.unavailable')) return unavailable(error.message, 'unknown', error);
  if (NorimakiError.is(error, 'deadline.exceeded')) {
    const { waited } = error.details;
    return new NorimakiError('deadline.exceeded', error.message, { waited, applied: 'unknown' });
  }
  return error;
}
