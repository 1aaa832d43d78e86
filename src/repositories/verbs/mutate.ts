import { copied } from '../../core/copied.ts';
import { NorimakiError } from '../../core/errors.ts';
import { compareKeys } from '../../core/keys/index.ts';
import type { IdPart } from '../../core/model/model.ts';
import type { Consistency } from '../../core/store.ts';
import type { Version } from '../../core/version.ts';
import type { RepositoryContext } from '../context.ts';
import { firstDeadline, nextDeadline, type TtlOption } from '../deadline.ts';
import { dehydrate, fromInput, hydrate } from '../entity.ts';
import { describeRecord, type LiveRecord } from '../snapshot.ts';
import { checkTenant } from '../tenancy/tenant-model.ts';
import { givenVectors } from '../vectors/given.ts';
import type { WriteCallOptions } from '../write/member.ts';
import { decodeToChange, firstRecord, isReplay, nextRecord, operationIdOf } from '../write/next-record.ts';
import type { Operation, RecordState } from '../write/operation.ts';
import { committed } from './results.ts';

export interface MutateOptions<Input = object> extends WriteCallOptions {
  /** What to start from when there is no record; without it, `not.found`. */
  readonly ifAbsent?: (() => Input) | Input | undefined;
  readonly ttl?: TtlOption | undefined;
  /** Repeating the call with the same key, in any process, applies `fn` once, while the record remembers it. */
  readonly idempotencyKey?: string | undefined;
  /** A leader's token: the record refuses every token lower than the highest it has seen. */
  readonly fence?: bigint | undefined;
  /** Of the first read; a stale one only costs a conflict. Default `'strong'`. */
  readonly consistency?: Consistency | undefined;
}

/** What `mutate` calls: changes the draft in place, or returns a replacement. */
export type Mutator = (draft: object) => unknown;

/** `mutate` as an operation. Errors of its own: `not.found`, `fence.stale`, and whatever `fn` throws. */
export class MutateOperation implements Operation<object> {
  readonly #context: RepositoryContext;
  readonly #id: readonly IdPart[];
  readonly #fn: Mutator;
  readonly #options: MutateOptions;
  readonly #operationId: string | undefined;

  constructor(context: RepositoryContext, id: readonly IdPart[], fn: Mutator, options: MutateOptions) {
    this.#context = context;
    this.#id = id;
    this.#fn = fn;
    this.#options = options;
    this.#operationId = operationIdOf('mutate', options.idempotencyKey);
  }

  apply(state: RecordState): RecordState | Promise<RecordState> {
    const operationId = this.#operationId;
    if (isReplay(state, operationId)) return state;
    const { ifAbsent } = this.#options;
    const fence = checkFence(this.#context, this.#id, state, this.#options.fence);
    if (state === undefined && ifAbsent === undefined) throw notFound(this.#context, this.#id);
    const draft = startingDraft(this.#context, this.#id, state, ifAbsent);
    const returned = this.#fn(draft.entity);
    if (!isThenable(returned)) return this.#finish(state, draft, returned, fence);
    return Promise.resolve(returned).then((replacement) => this.#finish(state, draft, replacement, fence));
  }

  result(_before: RecordState, after: RecordState, version: Version | undefined): object {
    return committed(this.#context.model, after, version);
  }

  #finish(state: RecordState, draft: DraftOf, returned: unknown, fence: bigint | undefined): LiveRecord {
    const { ttl } = this.#options;
    return changed(this.#context, this.#id, state, draft, returned, { ttl, fence, operationId: this.#operationId });
  }
}

interface DraftOf {
  readonly entity: object;
  readonly unknown: ReturnType<LiveRecord['decode']>['unknown'];
}

function startingDraft(
  context: RepositoryContext,
  id: readonly IdPart[],
  state: LiveRecord | undefined,
  ifAbsent: MutateOptions['ifAbsent'],
): DraftOf {
  const { model, environment } = context;
  if (state !== undefined) {
    const { values, unknown } = decodeToChange(context, id, state);
    return { entity: hydrate(model, values, state.version), unknown };
  }
  // The function may change its draft, and run again: it must not find there what it did before.
  const input = typeof ifAbsent === 'function' ? ifAbsent() : copied({ ...ifAbsent });
  const { values, given } = fromInput(model, { ...blankId(context, id), ...(input as object) }, environment);
  const entity = hydrate(model, values, undefined);
  for (const [name, { vector }] of given ?? []) Object.assign(entity, { [name]: vector });
  return { entity, unknown: undefined };
}

/** The id was given to `mutate` already: what `ifAbsent` starts from need not repeat it. */
function blankId({ model }: RepositoryContext, id: readonly IdPart[]): object {
  return Object.fromEntries(model.ids.map(({ name }, i) => [name, id[i]]));
}

function changed(
  context: RepositoryContext,
  id: readonly IdPart[],
  state: LiveRecord | undefined,
  draft: DraftOf,
  returned: unknown,
  {
    ttl,
    fence,
    operationId,
  }: { ttl: TtlOption | undefined; fence: bigint | undefined; operationId: string | undefined },
): LiveRecord {
  const { model, environment, keys } = context;
  // A replacement is an object; `(p) => p.stock--` and `(p) => p.tags.push('new')` return what nobody asked for.
  const entity = typeof returned === 'object' && returned !== null ? returned : draft.entity;
  checkTenant(model, entity);
  const values = dehydrate(model, entity);
  if (compareKeys(keys.record(keys.idPartsOf(values)), keys.record(id)) !== 0) {
    throw new NorimakiError(
      'argument.invalid',
      `The function given to mutate changed the id of ${describeRecord(model, id)}. An id is for life: create a new ${model.name} and delete this one.`,
      { argument: 'fn' },
    );
  }
  const given = givenVectors(model, entity, () => hydrate(model, values, undefined));
  const now = environment.clock.now();
  if (state === undefined) {
    const expiresAt = firstDeadline(model, values, now, ttl);
    return firstRecord(context, id, { values, given, expiresAt, fence, operationId });
  }
  const expiresAt = nextDeadline(model, values, state.envelope.expiresAt, now, ttl);
  return nextRecord(context, id, state, { values, unknown: draft.unknown, given, expiresAt, fence, operationId });
}

function checkFence(
  { model }: RepositoryContext,
  id: readonly IdPart[],
  state: LiveRecord | undefined,
  offered: bigint | undefined,
): bigint | undefined {
  const highest = state?.envelope.fence;
  if (offered === undefined || highest === undefined || offered >= highest) return offered;
  throw new NorimakiError(
    'fence.stale',
    `${describeRecord(model, id)} has seen a newer leader: the token is ${offered}, the record's ${highest}. Stop acting as the leader.`,
    { entity: model.name, offered, highest },
  );
}

/** The error of a verb that needs a record where there is none. */
export function notFound({ model }: RepositoryContext, id: readonly IdPart[]): NorimakiError<'not.found'> {
  return new NorimakiError('not.found', `${describeRecord(model, id)} does not exist.`, { entity: model.name });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
