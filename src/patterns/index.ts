/**
 * Building blocks on repositories: each takes what `open` returned, or one tenant's part of it.
 *
 * @packageDocumentation
 */
export type { AddOptions, CounterStats } from './counter/adds.ts';
export {
  Counter,
  type CounterAdd,
  type CounterReadOptions,
  type ResetOptions,
  type TryAdd,
} from './counter/counter.ts';
export type { CounterErrorDetails } from './counter/errors.ts';
export type { CounterOptions } from './counter/settings.ts';
export type { BlockCallOptions, BlockOptions } from './shared/options.ts';
