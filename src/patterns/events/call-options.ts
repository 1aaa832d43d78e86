import type { BlockCallOptions } from '../shared/options.ts';
import type { Expected } from './errors.ts';

export interface AppendOptions extends BlockCallOptions {
  /**
   * What the stream is expected to be: at a version, `'new'`, `'exists'`, or `'any'`. There is no default, as it decides
   * whether what you read may have changed since.
   */
  readonly expected: Expected;
  /** Repeating the call with the same key and the same events, in any process, appends once. */
  readonly idempotencyKey?: string | undefined;
}

export interface AppendResult {
  /** Of the stream after these events. */
  readonly version: bigint;
  /** `'replayed'`: they had been appended before, under this key. */
  readonly outcome: 'appended' | 'replayed';
}

export interface ReadStreamOptions {
  /** The first version; default 1n. */
  readonly from?: bigint | undefined;
  /** At most so many events. */
  readonly limit?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface LoadOptions {
  /** As it was after this version; default: as it is. */
  readonly at?: bigint | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Loaded<State> {
  readonly state: State;
  /** 0n: nothing has happened yet. */
  readonly version: bigint;
}
