import { NorimakiError } from '../../core/errors.ts';
import type { CommitOperation, Consistency, Precondition } from '../../core/store.ts';
import type { VectorWrite } from '../../core/vectors/index.ts';
import { fromWireInstant, fromWireVersion, type norimaki } from '../../wire/index.ts';
import { checkIdempotencyKey } from '../layers/answers.ts';

// What requests say, in the words of the port. Errors of all: `argument.invalid`, `size.exceeded`.

const CONSISTENCIES: readonly string[] = ['strong', 'eventual', 'bounded_staleness'] satisfies Consistency[];
/** Of what a client sent, in a message: it travels in a header, which has little room. */
const SHOWN = 100;

export function invalid(argument: string, message: string): NorimakiError<'argument.invalid'> {
  return new NorimakiError('argument.invalid', message, { argument });
}

export function consistencyOf(text: string): Consistency {
  if (text === '') return 'strong';
  if (!CONSISTENCIES.includes(text)) {
    throw invalid('consistency', `Unknown consistency level: ${text.slice(0, SHOWN).toWellFormed()}`);
  }
  // One of the list.
  return text as Consistency;
}

/** `undefined` where none was sent: protobuf has no other way to say so. */
export function idempotencyKeyOf(text: string): string | undefined {
  if (text === '') return undefined;
  checkIdempotencyKey(text);
  return text;
}

export function preconditionOf(sent: norimaki.Precondition | undefined): Precondition {
  const condition = sent?.condition;
  if (condition?.$case === 'version') return { ifMatch: fromWireVersion(condition.value) };
  return condition?.value === true ? { ifAbsent: true } : {};
}

export function operationOf({ key, precondition, action }: norimaki.Operation): CommitOperation {
  const when = preconditionOf(precondition);
  switch (action?.$case) {
    case 'put': {
      const { value, expiresAt, vectors } = action.value;
      return { type: 'put', key, value, expiresAt: fromWireInstant(expiresAt), vectors: vectors?.names, ...when };
    }
    case 'delete':
      if (when.ifAbsent) throw invalid('precondition', 'A delete takes a version, not the absence of its key.');
      return { type: 'delete', key, ifMatch: when.ifMatch };
    case 'check':
      return { type: 'check', key, ...when };
    default:
      throw invalid('action', 'An operation is a put, a delete or a check.');
  }
}

export function vectorWriteOf({ namespace, id, insert }: norimaki.VectorOperation): VectorWrite {
  if (insert === undefined) return { type: 'delete', namespace, id };
  return { type: 'insert', namespace, id, vector: Float32Array.from(insert.numbers) };
}
