import type { Clock, Random } from '../../core/clock.ts';
import type { Key } from '../../core/store.ts';

/**
 * What can go wrong between a client and its store.
 *
 * - `conflict`: a write with a precondition is refused, as if somebody had been faster; nothing is applied. (So an
 *   `ifAbsent` may be told `already.exists` by a key that is not there: as if it had been there for an instant.)
 * - `errorBefore`: `store.unavailable` with applied `'no'`, which is true. The only error that reads meet, too.
 * - `lostRequest`: `store.unavailable` with applied `'unknown'`; the write was not applied.
 * - `errorAfter`: a lost reply: `store.unavailable` with applied `'unknown'`; the write was delivered.
 * - `delay`: the call takes time on the clock, before or after the store sees it.
 * - `staleRead`: `get` or `getMany` that is not `'strong'` answers an earlier state of the key or the vector; `search` and
 *   `list` of vectors answer as they answered the same question before.
 * - `duplicate`: an accepted write is delivered a second time at once; the second answer is dropped.
 * - `lateDuplicate`: the same, but the second delivery comes after later calls.
 * - `zombie`: `store.unavailable` with applied `'unknown'` now; the write is delivered after later calls.
 * - `lostWatch`: a watch that is begun ends with `watch.lost` when it has told a few steps. Watches are delayed, too.
 * - `crashBefore`, `crashAfter`: the process dies before or after the store applied the call.
 */
export type FaultKind =
  | 'conflict'
  | 'errorBefore'
  | 'lostRequest'
  | 'errorAfter'
  | 'delay'
  | 'staleRead'
  | 'duplicate'
  | 'lateDuplicate'
  | 'zombie'
  | 'lostWatch'
  | 'crashBefore'
  | 'crashAfter';

/** A call that a fault may hit. */
export interface FaultCall {
  /** From 1, in the order of the calls to this fault store. */
  readonly number: number;
  readonly verb: 'get' | 'getMany' | 'put' | 'delete' | 'scan' | 'commit' | 'watch' | VectorVerb;
  /** All keys that the call names; of a scan and a watch, the start and the end of its range. */
  readonly keys: readonly Key[];
  /** All vectors that the call names, those of a commit too; without `id`, the namespace as a whole. */
  readonly vectors: readonly VectorName[];
}

/** A call to the vectors of a store. */
export type VectorVerb =
  | 'createIndex'
  | 'dropIndex'
  | 'insertVector'
  | 'deleteVector'
  | 'getVector'
  | 'getVectors'
  | 'search'
  | 'listVectors';

export interface VectorName {
  readonly namespace: string;
  readonly id?: string | undefined;
}

/** One fault that was injected. */
export interface InjectedFault extends FaultCall {
  readonly kind: FaultKind;
}

/** Options of {@link faultStore}. */
export interface FaultOptions {
  /** Decides everything that the script does not; with {@link seededRandom}, a run replays from its seed. */
  readonly random: Random;
  /** Needed for `delay`. Without it, states that expire are never read stale. */
  readonly clock?: Clock | undefined;
  /** How likely each fault is for a call that it can hit, from 0 to 1. Default: none. */
  readonly faults?: Partial<Record<FaultKind, number>> | undefined;
  /**
   * Asked before each call: a fault to inject, `'none'` for none, or `undefined` to leave it to chance. May do things
   * of its own first, such as a write by another client. A fault that cannot hit the call is not injected.
   */
  readonly script?: ((call: FaultCall) => MaybePromise<FaultKind | 'none' | undefined>) | undefined;
  /**
   * Chance may deliver an insert or a delete of a vector late though it carries no `idempotencyKey`: right for clients
   * that never use the id of a vector again. Default `false`.
   */
  readonly lateVectors?: boolean | undefined;
  /** The longest delay in milliseconds. Default 100. */
  readonly maxDelay?: number | undefined;
  /** After how many later calls a late delivery has come, at most. Default 10. */
  readonly maxLateness?: number | undefined;
}

type MaybePromise<T> = T | Promise<T>;

/** Thrown by every call of a crashed process. No error of a store: nothing that the process does can succeed now. */
export class SimulatedCrash extends Error {
  override readonly name = 'SimulatedCrash';

  constructor() {
    super('This process crashed; only another client of the store can tell what it left behind.');
  }
}
