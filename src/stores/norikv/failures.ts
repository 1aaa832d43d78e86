import { type Metadata, status as Status } from '@grpc/grpc-js';
import { type Applied, NorimakiError } from '../../core/errors.ts';
import { missingIndex } from '../../core/vectors/index.ts';
import { decodeFailure, FAILURE_TRAILER, fromFailure, fromWireVersion, type norimaki } from '../../wire/index.ts';

/** How a call ended, as gRPC tells it. */
export interface CallStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata?: Metadata | undefined;
}

/** Of a stream that the server ended, where it should go on. */
export const ENDED: CallStatus = { code: Status.UNAVAILABLE, details: 'The server ended the stream' };

/** What must be known of a call to judge its failure. */
export interface CallKind {
  readonly isWrite: boolean;
  /** The server is norimaki's: what it refuses, it refuses before its store sees it. */
  readonly isOurs: boolean;
  /** Of vectors, where the call is about them. */
  readonly namespace?: string | undefined;
}

/** Some other node leads the shard. Never reaches the caller as it is. */
export class NotLeaderError extends Error {
  override readonly name = 'NotLeaderError';
  readonly applied: Applied;

  constructor(applied: Applied) {
    super('Another node leads the shard.');
    this.applied = applied;
  }
}

// What grpc-js says of calls that never became a message: it had no connection, or the server's HTTP/2 layer sent the
// stream back unread, which the standard guarantees (RFC 9113, 8.7).
const NEVER_SENT =
  /^(No connection established|Name resolution failed|Channel closed before call started|Failed to start HTTP\/2 stream|Stream refused by server)/;
const NOT_LEADER = /^NOT_LEADER/;
// What TLS says when one side does not accept the other: OpenSSL's names, and those of Node's own checks.
const NOT_TRUSTED =
  /certificate|self.signed|altnames|Hostname\/IP|unable to verify|alert (?:bad|unknown|unsupported|access|handshake|protocol)|ERR_SSL|SSL routines|wrong version number|ERR_TLS/i;
// The server ends the handshake without a word, for example as it does not speak TLS.
const NO_TLS = /before secure TLS connection was established/;
// All that is seen where a server ends the connection and gives no reason: it may be going down, or dislike the client.
const CLOSED_EARLY = /^(Failed to connect|Socket closed|Connection closed)/;
const HINT =
  'the server closed it before it spoke HTTP/2. If that lasts, check that both sides use TLS or neither, and tls.cert';
const MISMATCH = /got term=(\d{1,20}) index=(\d{1,20})$/;

export function unavailable(message: string, applied: Applied, cause?: unknown): NorimakiError<'store.unavailable'> {
  return new NorimakiError('store.unavailable', message, { applied }, { cause });
}

/** There is no connection to a node: it has seen nothing, and another may answer in its place. */
export class UnreachableError extends NorimakiError<'store.unavailable'> {
  constructor(message: string) {
    super('store.unavailable', message, { applied: 'no' });
  }
}

function refused(message: string): NorimakiError<'store.refused'> {
  return new NorimakiError('store.refused', message, { store: 'norikv' });
}

/** Why there is no connection to `address`, from what grpc-js says of it. Nothing was sent. */
export function connectionFailure(address: string, details: string): NorimakiError {
  const reason = /Last error: (?:Error: )?(.*?)(?: \(\d{4}-[^)]*\))?\. Resolution note/.exec(details)?.[1] ?? details;
  if (NOT_TRUSTED.test(reason) || NO_TLS.test(reason)) {
    return refused(
      `The TLS handshake with ${address} failed: ${reason}. Check tls.ca, tls.cert, tls.key and tls.serverName, and that the server speaks TLS.`,
    );
  }
  return new UnreachableError(`There is no connection to ${address}: ${CLOSED_EARLY.test(reason) ? HINT : reason}.`);
}

export function isNeverSent({ code, details }: CallStatus): boolean {
  return code === Status.UNAVAILABLE && NEVER_SENT.test(details);
}

/** What a status means to the caller. In doubt a write may have been applied. */
export function judge(address: string, status: CallStatus, kind: CallKind): NorimakiError | NotLeaderError {
  // A plain server has no such trailer; one that sends it all the same is not believed.
  const [trailer] = kind.isOurs ? (status.metadata?.get(FAILURE_TRAILER) ?? []) : [];
  const failure = Buffer.isBuffer(trailer) ? decodeFailure(trailer) : undefined;
  return failure === undefined ? judgeStatus(address, status, kind) : judgeFailure(address, failure, kind);
}

/** What norimaki's own server says of a call. */
export function judgeFailure(
  address: string,
  failure: norimaki.Failure,
  kind: CallKind,
): NorimakiError | NotLeaderError {
  const error = fromFailure(failure);
  if (error === undefined) {
    return judgeStatus(address, { code: failure.status, details: failure.message }, kind);
  }
  // Of the server's own store and of its own work: this store is open, and this caller has not left.
  if (NorimakiError.is(error, 'store.closed')) return unavailable(`${address} is shutting down.`, 'no', error);
  if (NorimakiError.is(error, 'store.unavailable') && NOT_LEADER.test(error.message)) {
    return new NotLeaderError(error.details.applied);
  }
  if (NorimakiError.is(error, 'aborted')) {
    return unavailable(`${address} gave the call up.`, error.details.applied, error);
  }
  return error;
}

function judgeStatus(address: string, status: CallStatus, kind: CallKind): NorimakiError | NotLeaderError {
  const { code, details } = status;
  const doubt: Applied = kind.isWrite ? 'unknown' : 'no';
  switch (code) {
    case Status.UNAUTHENTICATED:
    case Status.PERMISSION_DENIED:
      return refused(`${address} refuses this client: ${details}. Check credentials.token and tls.cert.`);
    case Status.UNAVAILABLE:
      if (NOT_LEADER.test(details)) return new NotLeaderError(kind.isOurs ? 'no' : doubt);
      if (isNeverSent(status)) return connectionFailure(address, details);
      return unavailable(`${address} is unavailable: ${details}.`, doubt);
    case Status.DEADLINE_EXCEEDED:
      return unavailable(`${address} did not finish the call in time: ${details}.`, doubt);
    case Status.FAILED_PRECONDITION:
      return mismatch(details);
    case Status.NOT_FOUND:
      if (kind.namespace !== undefined) return missingIndex(kind.namespace);
      return unavailable(`${address} does not find what was asked for: ${details}.`, doubt);
    case Status.INVALID_ARGUMENT:
      return new NorimakiError('argument.invalid', `${address} refuses the call: ${details}.`, {
        argument: 'request',
      });
    case Status.UNIMPLEMENTED:
      return new NorimakiError(
        'store.incompatible',
        `${address} does not know the call: ${details}. Open the store anew to learn what it can do.`,
        { store: 'norikv' },
      );
    default:
      return unavailable(`${address} failed with ${Status[code] ?? code}: ${details}.`, doubt);
  }
}

function mismatch(details: string): NorimakiError<'version.mismatch'> {
  const [, term, index] = MISMATCH.exec(details) ?? [];
  const isKnown = term !== undefined && index !== undefined;
  const actual = isKnown ? fromWireVersion({ term: BigInt(term), index: BigInt(index) }) : undefined;
  const message = isKnown
    ? 'The key is at another version than the write expected.'
    : 'The key does not exist, or is at another version than the write expected.';
  return new NorimakiError('version.mismatch', message, { actual });
}
