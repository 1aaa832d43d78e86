import type { norimaki } from '../../wire/index.ts';

type Request = Exclude<NonNullable<norimaki.Call['request']>, { $case: 'cancel' }>;
type Result = NonNullable<norimaki.Reply['result']>;

/** What a call may ask: the names of the requests in a `Stream`. */
export type OperationName = Request['$case'];
export type RequestOf<N extends OperationName> = Extract<Request, { $case: N }>['value'];
export type ResponseOf<N extends OperationName> = Extract<Result, { $case: N }>['value'];

/** Fires when nobody waits for the answer any more. */
export interface CallContext {
  readonly signal: AbortSignal;
}

/**
 * From request to response, or an error. The single calls and those in a `Stream` are the same. Strict order of checks:
 * what the request says, who leads, what the store says.
 */
export type Operations = {
  readonly [N in OperationName]: (request: RequestOf<N>, context: CallContext) => Promise<ResponseOf<N>>;
};
