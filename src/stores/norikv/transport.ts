import type { norimaki } from '../../wire/index.ts';
import type { Patience } from './patience.ts';

type Known<T extends { $case: string } | undefined, Not extends string> = Exclude<NonNullable<T>, { $case: Not }>;

/** A call as the extension names it; a plain server's transport translates. */
export type Request = Known<norimaki.Call['request'], 'cancel'>;
type Result = Known<norimaki.Reply['result'], 'failure'>;
export type Verb = Request['$case'];
export type RequestOf<V extends Verb> = Extract<Request, { $case: V }>;
export type Question<V extends Verb> = RequestOf<V>['value'];
export type Answer<V extends Verb> = Extract<Result, { $case: V }>['value'];

/** How calls reach one node. */
export interface Transport {
  /**
   * Rejects with `NotLeaderError`, or with what the caller is to be told: errors say whether a write was certainly not
   * applied.
   */
  call<V extends Verb>(request: RequestOf<V>, patience: Patience): Promise<Answer<V>>;
  /** Ends what is open; calls in flight have ended before. */
  close(): void;
}

const READS: ReadonlySet<Verb> = new Set<Verb>(['get', 'scan', 'searchVectors', 'getVector', 'listVectors']);

export function isWrite(verb: Verb): boolean {
  return !READS.has(verb);
}
