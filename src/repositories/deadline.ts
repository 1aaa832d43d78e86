import { type Duration, milliseconds } from '../core/duration.ts';
import { NorimakiError } from '../core/errors.ts';
import type { EntityModel } from '../core/model/model.ts';
import type { Values } from './entity.ts';

/** What a write does to the deadline: keep it, start the class's default again, or live for so long from now. */
export type TtlOption = 'keep' | 'renew' | Duration;

function fromNow(model: EntityModel, ttl: TtlOption, previous: number | undefined, now: number): number | undefined {
  if (ttl === 'keep') return previous;
  if (ttl !== 'renew') return now + milliseconds(ttl, 'ttl');
  if (model.ttl === undefined) {
    throw new NorimakiError(
      'argument.invalid',
      `${model.name} has no default to renew: put @Ttl('30m') on the class, or give the duration itself.`,
      { argument: 'ttl' },
    );
  }
  return now + model.ttl.ms;
}

function ownDeadline(model: EntityModel, values: Values): number | undefined {
  const own = model.deadlineField === undefined ? undefined : values[model.deadlineField];
  if (own === undefined || own === null) return undefined;
  if (own instanceof Date && !Number.isNaN(own.getTime())) return own.getTime();
  throw new NorimakiError('validation.failed', `${model.name}.${model.deadlineField} is not a date.`, {
    entity: model.name,
    issues: [{ path: [model.deadlineField as string], message: 'is not a valid date' }],
  });
}

/** Keeps the field that shows the deadline, if there is one, equal to the deadline. */
function withDeadline(model: EntityModel, values: Values, deadline: number | undefined): number | undefined {
  if (model.deadlineField !== undefined) {
    if (deadline === undefined) delete values[model.deadlineField];
    else values[model.deadlineField] = new Date(deadline);
  }
  return deadline;
}

/** The deadline of a new record, also written to its field: the call's, else the field's own, else the class's default. */
export function firstDeadline(
  model: EntityModel,
  values: Values,
  now: number,
  ttl: TtlOption | undefined,
): number | undefined {
  const classDefault = model.ttl && now + model.ttl.ms;
  if (ttl !== undefined && ttl !== 'keep') return withDeadline(model, values, fromNow(model, ttl, undefined, now));
  return withDeadline(model, values, ownDeadline(model, values) ?? classDefault);
}

/**
 * The deadline after an update, also written to its field. The call's word counts first, then a change of the field
 * by the update itself, then the policy of the entity (`@Ttl`'s `onWrite`).
 */
export function nextDeadline(
  model: EntityModel,
  values: Values,
  previous: number | undefined,
  now: number,
  ttl: TtlOption | undefined,
): number | undefined {
  if (ttl !== undefined) return withDeadline(model, values, fromNow(model, ttl, previous, now));
  if (model.deadlineField !== undefined) {
    const own = ownDeadline(model, values);
    if (own !== previous) return withDeadline(model, values, own);
  }
  if (previous === undefined || model.ttl === undefined || model.onWrite === 'keep') {
    return withDeadline(model, values, previous);
  }
  const renewed = now + model.ttl.ms;
  // A record that can have a deadline of its own may have a later one, which renewing must not cut short.
  const isOwn = model.deadlineField !== undefined && previous > renewed;
  return withDeadline(model, values, isOwn ? previous : renewed);
}
