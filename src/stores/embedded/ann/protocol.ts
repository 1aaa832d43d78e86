import type { FailureKind } from './failure.ts';
import type { NativeGate } from './native-gate.ts';
import type { AnnSnapshot, AnnSpaceOptions, AnnStats } from './types.ts';

/** What the main thread asks of the worker, and what the worker answers. */
export interface Calls {
  open: { ask: { options: AnnSpaceOptions }; answer: undefined };
  add: { ask: { labels: Float64Array; vectors: Float32Array }; answer: undefined };
  remove: { ask: { labels: Float64Array }; answer: undefined };
  search: { ask: { query: Float32Array; k: number; spare: number }; answer: Float64Array };
  stats: { ask: object; answer: AnnStats };
  /** Writes the file; giving it its name is left to the main thread. */
  save: { ask: { path: string }; answer: AnnSnapshot };
  load: { ask: { path: string; expected: AnnSnapshot }; answer: boolean };
  close: { ask: object; answer: undefined };
}

export type CallName = keyof Calls;

/** One call: of a space, under a number of its own. */
export type Request<N extends CallName = CallName> = {
  [M in N]: { readonly name: M; readonly id: number; readonly space: number; readonly ask: Calls[M]['ask'] };
}[N];

/** A caller that gave up no longer wants the answer to call `cancel`; `end` ends the thread. */
export type Message = Request | { readonly cancel: number } | { readonly end: true };

export type Answer =
  | { readonly id: number; readonly value: Calls[CallName]['answer'] }
  | { readonly id: number; readonly failure: FailureNote };

export interface FailureNote {
  readonly kind: FailureKind;
  readonly message: string;
  /** Of the file system. */
  readonly code: string | undefined;
}

/** What the worker is started with. */
export interface WorkerData {
  /** Where usearch is, if it is installed. */
  readonly usearch: string | undefined;
  readonly gate: NativeGate;
}
