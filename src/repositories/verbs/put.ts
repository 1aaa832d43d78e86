import { NorimakiError } from '../../core/errors.ts';
import type { IdPart } from '../../core/model/model.ts';
import type { Version } from '../../core/version.ts';
import type { RepositoryContext } from '../context.ts';
import { firstDeadline, nextDeadline, type TtlOption } from '../deadline.ts';
import type { Input } from '../entity.ts';
import { describeRecord } from '../snapshot.ts';
import type { WriteCallOptions } from '../write/member.ts';
import { decodeToChange, firstRecord, isReplay, nextRecord, operationIdOf } from '../write/next-record.ts';
import type { Operation, RecordState } from '../write/operation.ts';
import { committed } from './results.ts';

export interface PutOptions extends WriteCallOptions {
  /** Write only if the record is at this version: that of the read which the new values are based on. */
  readonly ifMatch?: Version | undefined;
  /** Default: a new record as in `create`; an existing one by the `onWrite` of its `@Ttl`. */
  readonly ttl?: TtlOption | undefined;
  /** Repeating the call with the same key, in any process, writes once, while the record remembers it. */
  readonly idempotencyKey?: string | undefined;
}

/** An `ifMatch` that is given but undefined is a token that was never read; taking it as "no condition" would lose updates. */
export function refuseEmptyIfMatch(options: { readonly ifMatch?: Version | undefined }, entity: string): void {
  if (!Object.hasOwn(options, 'ifMatch') || options.ifMatch !== undefined) return;
  throw new NorimakiError(
    'argument.invalid',
    `ifMatch is undefined: this ${entity} does not come from a read. Read it first, or leave ifMatch out to write unconditionally.`,
    { argument: 'ifMatch' },
  );
}

export function checkVersion(
  { model }: RepositoryContext,
  id: readonly IdPart[],
  state: RecordState,
  ifMatch: Version | undefined,
): void {
  if (ifMatch === undefined || state?.version === ifMatch) return;
  const reason = state === undefined ? 'does not exist any more' : 'was changed since it was read';
  throw new NorimakiError(
    'version.mismatch',
    `${describeRecord(model, id)} ${reason}. Read it again and repeat the change, or use mutate, which does so by itself.`,
    { entity: model.name, expected: ifMatch, actual: state?.version },
  );
}

/** `put` as an operation. Errors of its own: `version.mismatch`. */
export class PutOperation implements Operation<object> {
  readonly #context: RepositoryContext;
  readonly #id: readonly IdPart[];
  readonly #input: Input;
  readonly #options: PutOptions;
  readonly #operationId: string | undefined;

  constructor(context: RepositoryContext, id: readonly IdPart[], input: Input, options: PutOptions) {
    this.#context = context;
    this.#id = id;
    this.#input = input;
    this.#options = options;
    this.#operationId = operationIdOf('put', options.idempotencyKey);
  }

  apply(state: RecordState): RecordState {
    const operationId = this.#operationId;
    if (isReplay(state, operationId)) return state;
    const { model, environment } = this.#context;
    const { ifMatch, ttl } = this.#options;
    checkVersion(this.#context, this.#id, state, ifMatch);
    const values = { ...this.#input.values };
    const { given } = this.#input;
    const now = environment.clock.now();
    if (state === undefined) {
      const expiresAt = firstDeadline(model, values, now, ttl);
      return firstRecord(this.#context, this.#id, { values, given, expiresAt, operationId });
    }
    const previous = state.envelope.expiresAt;
    // A deadline that the caller leaves out is not one that the caller takes away.
    if (model.deadlineField !== undefined && values[model.deadlineField] === undefined && previous !== undefined) {
      values[model.deadlineField] = new Date(previous);
    }
    const expiresAt = nextDeadline(model, values, previous, now, ttl);
    const unknown = state.isWhole ? undefined : decodeToChange(this.#context, this.#id, state).unknown;
    return nextRecord(this.#context, this.#id, state, { values, unknown, given, expiresAt, operationId });
  }

  result(_before: RecordState, after: RecordState, version: Version | undefined): object {
    return committed(this.#context.model, after, version);
  }
}
