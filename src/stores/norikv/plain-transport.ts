import type { Clock } from '../../core/clock.ts';
import { NorimakiError } from '../../core/errors.ts';
import { missingIndex } from '../../core/vectors/index.ts';
import { fromWireVersion, KvService, type norikv, type norimaki } from '../../wire/index.ts';
import { unavailable } from './failures.ts';
import type { Node } from './node.ts';
import type { Patience } from './patience.ts';
import type { Settings } from './settings.ts';
import type { Answer, RequestOf, Transport, Verb } from './transport.ts';
import { callUnary, UnaryTransport } from './unary-transport.ts';

const READ = { isWrite: false, isOurs: false };
const WRITE = { isWrite: true, isOurs: false };

/** Larger values can make a shard of a plain server unreadable after a restart. */
const LARGE_BYTES = 96 * 1024;
/** A search of a plain server finds no more. */
export const PLAIN_MAX_K = 100;
/**
 * What a put is answered with is no version that a read ever gives, and may be the one that a read gives for another
 * write. So it is told with a term that no server has: as `ifMatch` it matches nothing, and nobody is overwritten.
 */
const PUT_TERM = 0xffff_ffff_ffff_ffffn;

/** Calls to a NoriKV server without the extension, in the words of its protocol. */
export class PlainTransport implements Transport {
  readonly #node: Node;
  readonly #vectors: UnaryTransport;
  readonly #clock: Clock;
  readonly #largeValues: LargeValues;

  /** `clock` is that of expiry. */
  constructor(node: Node, clock: Clock, largeValues: LargeValues) {
    this.#node = node;
    this.#vectors = new UnaryTransport(node, false);
    this.#clock = clock;
    this.#largeValues = largeValues;
  }

  async call<V extends Verb>(request: RequestOf<V>, patience: Patience): Promise<Answer<V>> {
    // Each branch answers its own verb, which TypeScript does not see.
    return (await this.#translate(request, patience)) as Answer<V>;
  }

  close(): void {}

  #translate(request: RequestOf<Verb>, patience: Patience): Promise<Answer<Verb>> {
    switch (request.$case) {
      case 'get':
        return this.#get(request.value, patience);
      case 'put':
        return this.#put(request.value, patience);
      case 'delete':
        return this.#delete(request.value, patience);
      case 'insertVector':
        return this.#insert(request.value, patience);
      default:
        return this.#vectors.call(request, patience);
    }
  }

  async #get(question: norimaki.GetRequest, patience: Patience): Promise<norimaki.GetResponse> {
    const { value, version } = await callUnary(this.#node, KvService.get, question, patience, READ);
    // An empty value is a record; what has no version is none.
    if (version === undefined) return { record: undefined };
    return { record: { key: question.key, value, version, expiresAt: undefined } };
  }

  async #put(question: norimaki.PutRequest, patience: Patience): Promise<norimaki.PutResponse> {
    const { key, value, expiresAt, precondition, idempotencyKey } = question;
    this.#largeValues.check(value);
    const ttlMs = expiresAt === undefined ? 0n : expiresAt - BigInt(Math.floor(this.#clock.now()));
    const put = {
      ...{ key, value, idempotencyKey },
      // 0 is a record that stays.
      ttlMs: expiresAt !== undefined && ttlMs < 1n ? 1n : ttlMs,
      ifMatch: precondition?.condition?.$case === 'version' ? precondition.condition.value : undefined,
    };
    const { version } = await callUnary(this.#node, KvService.put, put, patience, WRITE).catch((error: unknown) => {
      throw NorimakiError.is(error, 'version.mismatch') ? expecting(put.ifMatch, error) : error;
    });
    return { version: version && { term: PUT_TERM, index: version.index } };
  }

  /** A plain server says of every delete that it found something. */
  async #delete(question: norimaki.DeleteRequest, patience: Patience): Promise<norimaki.DeleteResponse> {
    const { key, idempotencyKey } = question;
    const { record } = await this.#get({ key, consistency: 'strong' }, patience);
    if (record === undefined) return { existed: false };
    await callUnary(this.#node, KvService.delete, { key, idempotencyKey, ifMatch: undefined }, patience, WRITE);
    return { existed: true };
  }

  /** A plain server acknowledges what it does not store. */
  async #insert(question: norikv.VectorInsertRequest, patience: Patience): Promise<norikv.VectorInsertResponse> {
    const answer = await this.#vectors.call({ $case: 'insertVector', value: question }, patience);
    const { namespace, id } = question;
    const asked = { $case: 'getVector' as const, value: { namespace, id, consistency: 'strong' } };
    const { found, vector } = await this.#vectors.call<'getVector'>(asked, patience).catch((error) => {
      throw NorimakiError.is(error, 'index.missing')
        ? error
        : unavailable('The insert of a vector could not be confirmed.', 'unknown', error);
    });
    if (!found) throw missingIndex(namespace);
    if (vector.length !== question.vector.length) {
      const message = `The vector has ${question.vector.length} dimensions; its namespace has ${vector.length}.`;
      throw new NorimakiError('argument.invalid', message, { argument: 'vector' });
    }
    return answer;
  }
}

/** A plain server's mismatch, with what the caller expected. */
function expecting(
  ifMatch: norikv.Version | undefined,
  { message, details }: NorimakiError<'version.mismatch'>,
): NorimakiError<'version.mismatch'> {
  const expected = ifMatch && fromWireVersion(ifMatch);
  return new NorimakiError('version.mismatch', message, { ...details, expected });
}

/** What is done about values that a plain server may not be able to read again; one for all nodes. */
export class LargeValues {
  readonly #policy: Settings['largeValues'];
  readonly #warn: Settings['warn'];
  #hasWarned = false;

  constructor({ largeValues, warn }: Settings) {
    this.#policy = largeValues;
    this.#warn = warn;
  }

  /** Errors: `size.exceeded`. */
  check(value: Uint8Array): void {
    const { length: bytes } = value;
    if (bytes <= LARGE_BYTES) return;
    if (this.#policy === 'refuse') {
      const message = `The value has ${bytes} bytes; largeValues: 'refuse' allows ${LARGE_BYTES} on a plain NoriKV server.`;
      throw new NorimakiError('size.exceeded', message, { what: 'value', bytes, limit: LARGE_BYTES });
    }
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#warn(
      `A value of ${bytes} bytes goes to a plain NoriKV server. Values over ${LARGE_BYTES} bytes can make a shard of it unreadable after a restart; largeValues: 'refuse' refuses them. This is said once.`,
    );
  }
}
