import { tracingChannel } from 'node:diagnostics_channel';

/** One call to a store, as published on the tracing channel `norimaki:store`. */
export interface StoreCall {
  readonly verb:
    | 'get'
    | 'getMany'
    | 'scan'
    | 'put'
    | 'delete'
    | 'commit'
    | 'watch'
    | 'createIndex'
    | 'dropIndex'
    | 'insertVector'
    | 'deleteVector'
    | 'getVector'
    | 'getVectors'
    | 'search'
    | 'listVectors';
}

/** One call of a repository, as published on the tracing channel `norimaki:repository`. */
export interface RepositoryCall {
  readonly entity: string;
  readonly verb: string;
}

/**
 * What goes to the store. Costs nothing while nobody listens.
 *
 * @example
 * ```ts
 * import { tracingChannel } from 'node:diagnostics_channel';
 * let calls = 0;
 * tracingChannel('norimaki:store').start.subscribe(() => { calls++; });
 * ```
 */
export const storeCalls = tracingChannel<object, StoreCall>('norimaki:store');

/** What users call. Costs nothing while nobody listens. */
export const repositoryCalls = tracingChannel<object, RepositoryCall>('norimaki:repository');
