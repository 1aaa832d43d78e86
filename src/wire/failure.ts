import { status } from '@grpc/grpc-js';
import { type ErrorCode, type ErrorDetails, NorimakiError } from '../core/errors.ts';
import { Failure } from './generated/norimaki/v1/norimaki.ts';

/** The trailer in which a unary call carries a `Failure`. */
export const FAILURE_TRAILER = 'norimaki-failure-bin';

// The codes that a Store port may throw; any other of norimaki's belongs to the layers above it.
const STATUSES = {
  'version.mismatch': status.FAILED_PRECONDITION,
  'already.exists': status.ALREADY_EXISTS,
  'argument.invalid': status.INVALID_ARGUMENT,
  'size.exceeded': status.INVALID_ARGUMENT,
  'index.missing': status.NOT_FOUND,
  'capability.missing': status.UNIMPLEMENTED,
  'store.unavailable': status.UNAVAILABLE,
  'store.closed': status.UNAVAILABLE,
  'store.full': status.RESOURCE_EXHAUSTED,
  'store.incompatible': status.FAILED_PRECONDITION,
  'deadline.exceeded': status.DEADLINE_EXCEEDED,
  aborted: status.CANCELLED,
  'watch.lost': status.ABORTED,
} as const satisfies Partial<Record<ErrorCode, status>>;

function isKnown(code: string): code is keyof typeof STATUSES {
  return Object.hasOwn(STATUSES, code);
}

/** What goes over the wire of an error of the store's. An unknown error tells nothing of itself: it may hold secrets. */
export function toFailure(error: unknown): Failure {
  if (error instanceof NorimakiError && isKnown(error.code)) {
    const { code, message, details } = error;
    return { status: STATUSES[code], message, code, details: JSON.stringify(details) };
  }
  return { status: status.INTERNAL, message: 'The store failed; its log says why.', code: '', details: '' };
}

/** The error that a peer sent, or `undefined` if it is none that a store throws. */
export function fromFailure({ code, message, details }: Failure): NorimakiError | undefined {
  if (!isKnown(code)) return undefined;
  try {
    // Written by `toFailure` of a peer; what it says is only ever shown or compared.
    return new NorimakiError(code, message, JSON.parse(details) as ErrorDetails[typeof code]);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function encodeFailure(failure: Failure): Buffer {
  return Buffer.from(Failure.encode(failure).finish());
}

/** `undefined` for bytes that are no failure. */
export function decodeFailure(bytes: Uint8Array): Failure | undefined {
  try {
    return Failure.decode(bytes);
  } catch {
    // A trailer of somebody else's: the status and its message still say what there is to say.
    return undefined;
  }
}
