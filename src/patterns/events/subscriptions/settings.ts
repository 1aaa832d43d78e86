import { type Duration, milliseconds } from '../../../core/duration.ts';
import { type RetryPolicy, retryPolicy } from '../../../core/retry/index.ts';
import { type LeaseTimes, type Times, timesOf } from '../../election/settings.ts';
import { checkName, refuse } from '../../shared/options.ts';
import type { FailureDecision, HandlerFailure } from './handler.ts';

/** How a subscription retries an event whose handler failed. */
export interface HandlerRetry {
  /** Tries in all before `onError` decides, the first included; default 5. */
  readonly maxAttempts?: number | undefined;
  /** Upper bound of the first wait; it doubles with each. Default `'100ms'`. */
  readonly base?: Duration | undefined;
  /** Upper bound of any wait; default `'30s'`. */
  readonly cap?: Duration | undefined;
}

/** What becomes of an event whose handler has failed as often as `retry` allows. */
export type OnHandlerError = FailureDecision | ((failure: HandlerFailure) => FailureDecision);

/** How subscriptions look for events, whoever handles them. */
export interface WorkerOptions {
  /** How a worker keeps its partition: as a leader does. Default `ttl: '15s'`. */
  readonly lease?: LeaseTimes | undefined;
  readonly retry?: HandlerRetry | undefined;
  /** How often new events are looked for where the store does not tell of them; default `'1s'`. */
  readonly pollEvery?: Duration | undefined;
  /** How often all streams are looked at where it does, for what a crash kept it from telling; default `'1m'`. */
  readonly sweepEvery?: Duration | undefined;
  /** How long `close` waits for a handler that is under way; default `'5s'`. */
  readonly drain?: Duration | undefined;
  /** Told each time a handler failed, to log it. */
  readonly onFailure?: ((failure: HandlerFailure) => void) | undefined;
  /** Ends the subscription, as `close` does. */
  readonly signal?: AbortSignal | undefined;
}

/** What `subscribe` is told. */
export interface SubscribeOptions extends WorkerOptions {
  /** Its place in the streams is stored under it: whoever subscribes with one name shares the work. At most 64 bytes. */
  readonly name: string;
  /** Where it begins when it is new: at the first event of all streams (default), or with what comes. */
  readonly from?: 'start' | 'end' | undefined;
  /** Streams are handled in so many lines, at most one worker each; fixed when the subscription is new. Default 1. */
  readonly partitions?: number | undefined;
  /** Default `'retry'`. */
  readonly onError?: OnHandlerError | undefined;
  /** Events of one stream after which its place is stored, at most: so many are handled again after a crash. Default 64. */
  readonly checkpointEvery?: number | undefined;
}

/** The options of a worker, checked; times in milliseconds. */
export interface WorkerSettings {
  readonly times: Times;
  readonly retry: RetryPolicy;
  readonly pollEvery: number;
  readonly sweepEvery: number;
  readonly drain: number;
  readonly onFailure: ((failure: HandlerFailure) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Tries are counted, not timed. */
const FOR_EVER = Number.MAX_SAFE_INTEGER;
const RETRY: RetryPolicy = { maxAttempts: 5, deadline: FOR_EVER, base: 100, cap: 30_000 };
const MAX_PARTITIONS = 256;
const MAX_NAME_BYTES = 64;
const MAX_CHECKPOINT = 1000;
const DEFAULT_CHECKPOINT = 64;
const DECISIONS: readonly unknown[] = ['retry', 'park', 'skip', 'stop'] satisfies FailureDecision[];

/** Errors: `argument.invalid`. */
export function workerSettings(options: WorkerOptions): WorkerSettings {
  const { lease = {}, retry, onFailure, signal } = options;
  const sweepEvery = milliseconds(options.sweepEvery ?? '1m', 'sweepEvery');
  const pollEvery = milliseconds(options.pollEvery ?? '1s', 'pollEvery');
  if (sweepEvery < 1 || pollEvery < 1) refuse('pollEvery', 'pollEvery and sweepEvery are at least a millisecond.');
  return {
    times: timesOf(lease),
    retry: retryPolicy({ ...retry, deadline: FOR_EVER }, RETRY),
    pollEvery,
    sweepEvery,
    drain: milliseconds(options.drain ?? '5s', 'drain'),
    onFailure,
    signal,
  };
}

/** The name of a subscription or a projection, checked: it is part of keys. Errors: `argument.invalid`. */
export function checkSubscriptionName(block: string, name: unknown): string {
  const checked = checkName(block, name);
  if (Buffer.byteLength(checked) <= MAX_NAME_BYTES) return checked;
  return refuse('name', `The name of a ${block} has at most ${MAX_NAME_BYTES} bytes, as it is part of many keys.`);
}

/** How many partitions were asked for, if any number was. Errors: `argument.invalid`. */
export function checkPartitions(partitions: number | undefined): number | undefined {
  if (partitions === undefined) return undefined;
  if (Number.isSafeInteger(partitions) && partitions >= 1 && partitions <= MAX_PARTITIONS) return partitions;
  return refuse('partitions', `partitions is a whole number from 1 to ${MAX_PARTITIONS}.`);
}

/** Errors: `argument.invalid`. */
export function checkpointOf({ checkpointEvery = DEFAULT_CHECKPOINT }: SubscribeOptions): number {
  const isFit = Number.isSafeInteger(checkpointEvery) && checkpointEvery >= 1 && checkpointEvery <= MAX_CHECKPOINT;
  return isFit
    ? checkpointEvery
    : refuse('checkpointEvery', `checkpointEvery is a whole number from 1 to ${MAX_CHECKPOINT}.`);
}

/** Errors: `argument.invalid`. */
export function decideBy({ onError = 'retry' }: SubscribeOptions): (failure: HandlerFailure) => FailureDecision {
  if (typeof onError === 'function') return (failure) => checkDecision(onError(failure));
  checkDecision(onError);
  return () => onError;
}

function checkDecision(decision: FailureDecision): FailureDecision {
  if (DECISIONS.includes(decision)) return decision;
  return refuse('onError', "onError is 'retry', 'park', 'skip' or 'stop', or a function that returns one of them.");
}

export function checkFrom({ from = 'start' }: SubscribeOptions): 'start' | 'end' {
  if (from === 'start' || from === 'end') return from;
  return refuse('from', "from is 'start' or 'end'.");
}
