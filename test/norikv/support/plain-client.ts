import { ChannelCredentials, Client, type ClientReadableStream, Metadata, type ServiceError } from '@grpc/grpc-js';

// A client made of grpc-js and the table of messages alone, so that a mistake in our .proto files shows.

/** Name, then its fields, as the table has them. */
const TABLE: Readonly<Record<string, string>> = {
  Version: 'uint64 term = 1, uint64 index = 2',
  PutRequest: 'bytes key = 1, bytes value = 2, uint64 ttl_ms = 3, string idempotency_key = 4, Version if_match = 5',
  PutResponse: 'Version version = 1',
  GetRequest: 'bytes key = 1, string consistency = 2',
  GetResponse: 'bytes value = 1, Version version = 2',
  DeleteRequest: 'bytes key = 1, string idempotency_key = 2, Version if_match = 3',
  DeleteResponse: 'bool tombstoned = 1, Version version = 2',
  ClusterNode: 'string id = 1, string addr = 2, string role = 3',
  ShardReplica: 'string node_id = 1, bool leader = 2',
  ShardInfo: 'uint32 id = 1, repeated ShardReplica replicas = 2',
  ClusterView: 'uint64 epoch = 1, repeated ClusterNode nodes = 2, repeated ShardInfo shards = 3',
  CreateVectorIndexRequest:
    'string namespace = 1, uint32 dimensions = 2, uint32 distance = 3, uint32 index_type = 4, string idempotency_key = 5',
  CreateVectorIndexResponse: 'bool created = 1',
  DropVectorIndexRequest: 'string namespace = 1, string idempotency_key = 2',
  DropVectorIndexResponse: 'bool dropped = 1',
  VectorInsertRequest: 'string namespace = 1, string id = 2, repeated float vector = 3, string idempotency_key = 4',
  VectorInsertResponse: 'bool inserted = 1, Version version = 2',
  VectorDeleteRequest: 'string namespace = 1, string id = 2, string idempotency_key = 3',
  VectorDeleteResponse: 'bool deleted = 1',
  VectorMatch: 'string id = 1, float distance = 2, repeated float vector = 3',
  VectorSearchRequest:
    'string namespace = 1, repeated float query = 2, uint32 k = 3, bool include_vectors = 4, string consistency = 5',
  VectorSearchResponse: 'repeated VectorMatch matches = 1, uint64 search_time_us = 2',
  VectorGetRequest: 'string namespace = 1, string id = 2, string consistency = 3',
  VectorGetResponse: 'repeated float vector = 1, bool found = 2',
};

const RPCS = {
  'Kv/Put': ['PutRequest', 'PutResponse'],
  'Kv/Get': ['GetRequest', 'GetResponse'],
  'Kv/Delete': ['DeleteRequest', 'DeleteResponse'],
  'Meta/WatchCluster': ['ClusterView', 'ClusterView'],
  'Admin/TransferShard': ['ShardInfo', 'ShardInfo'],
  'Admin/SnapshotShard': ['ShardInfo', 'ShardInfo'],
  'Vector/CreateIndex': ['CreateVectorIndexRequest', 'CreateVectorIndexResponse'],
  'Vector/DropIndex': ['DropVectorIndexRequest', 'DropVectorIndexResponse'],
  'Vector/Insert': ['VectorInsertRequest', 'VectorInsertResponse'],
  'Vector/Delete': ['VectorDeleteRequest', 'VectorDeleteResponse'],
  'Vector/Search': ['VectorSearchRequest', 'VectorSearchResponse'],
  'Vector/Get': ['VectorGetRequest', 'VectorGetResponse'],
} as const;
export type Rpc = keyof typeof RPCS;

/** Only what was sent is there: protobuf leaves out what is zero or empty. */
// biome-ignore lint/suspicious/noExplicitAny: messages have no types here, as in a client without generated code.
export type Message = Record<string, any>;

interface Field {
  readonly number: number;
  readonly name: string;
  readonly type: string;
  readonly isRepeated: boolean;
}

function fieldsOf(message: string): Field[] {
  return (TABLE[message] ?? '').split(', ').map((text) => {
    const [, repeated, type = '', name = '', number] = /^(repeated )?(\w+) (\w+) = (\d+)$/.exec(text) ?? [];
    return { number: Number(number), name, type, isRepeated: repeated !== undefined };
  });
}

function varint(value: bigint | number): number[] {
  const bytes: number[] = [];
  let rest = BigInt(value);
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return [...bytes, Number(rest)];
}

const framed = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from(varint(bytes.length)), bytes]);

function float(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

function encodeField({ number, type }: Field, value: Message[string]): Buffer {
  const tag = (wire: number): Buffer => Buffer.from(varint((number << 3) | wire));
  if (type === 'uint64' || type === 'uint32' || type === 'bool') {
    return Buffer.concat([tag(0), Buffer.from(varint(BigInt(value)))]);
  }
  if (type === 'string' || type === 'bytes') return Buffer.concat([tag(2), framed(Buffer.from(value))]);
  return Buffer.concat([tag(2), framed(encode(type, value))]);
}

export function encode(message: string, value: Message): Buffer {
  const parts = fieldsOf(message).flatMap((field) => {
    const given = value[field.name];
    if (given === undefined) return [];
    if (field.type === 'float' && field.isRepeated) {
      return [Buffer.from(varint((field.number << 3) | 2)), framed(Buffer.concat(given.map(float)))];
    }
    return (field.isRepeated ? given : [given]).map((one: Message[string]) => encodeField(field, one));
  });
  return Buffer.concat(parts);
}

function decode(message: string, bytes: Buffer): Message {
  const fields = fieldsOf(message);
  const result: Message = {};
  let at = 0;
  const next = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] as number;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(next());
    const field = fields.find(({ number }) => number === tag >> 3);
    const value = take(tag & 7);
    if (field === undefined) continue;
    const read = readField(field, value);
    if (field.isRepeated)
      result[field.name] = [...(result[field.name] ?? []), ...(Array.isArray(read) ? read : [read])];
    else result[field.name] = read;
  }
  return result;

  function take(wire: number): bigint | Buffer {
    if (wire === 0) return next();
    const length = wire === 5 ? 4 : Number(next());
    at += length;
    return bytes.subarray(at - length, at);
  }
}

function readField({ type, isRepeated }: Field, value: bigint | Buffer): Message[string] {
  if (typeof value === 'bigint') return type === 'bool' ? value === 1n : type === 'uint32' ? Number(value) : value;
  if (type === 'string') return value.toString();
  if (type === 'bytes') return value;
  if (type !== 'float') return decode(type, value);
  const floats = Array.from({ length: value.length / 4 }, (_, i) => value.readFloatLE(i * 4));
  return isRepeated ? floats : floats[0];
}

export interface PlainCallOptions {
  readonly metadata?: Record<string, string>;
  /** Of the call, in milliseconds from now. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

export class PlainClient implements Disposable {
  readonly #client: Client;

  constructor(address: string, credentials = ChannelCredentials.createInsecure(), options = {}) {
    // Each client has a connection of its own.
    this.#client = new Client(address, credentials, { 'grpc.use_local_subchannel_pool': 1, ...options });
  }

  call(rpc: Rpc, request: Message = {}, options: PlainCallOptions = {}): Promise<Message> {
    const [input, output] = RPCS[rpc];
    return this.raw(`/norikv.v1.${rpc}`, encode(input, request), options).then((bytes) => decode(output, bytes));
  }

  /** Any method, by its path and the bytes of its message. */
  raw(path: string, message: Buffer, { metadata = {}, timeout = 20_000, signal }: PlainCallOptions = {}) {
    return new Promise<Buffer>((resolve, reject) => {
      const headers = new Metadata();
      for (const [name, value] of Object.entries(metadata)) headers.set(name, value);
      const same = (bytes: Buffer): Buffer => bytes;
      const call = this.#client.makeUnaryRequest(
        path,
        same,
        same,
        message,
        headers,
        { deadline: Date.now() + timeout },
        (error: ServiceError | null, bytes?: Buffer) => (error === null ? resolve(bytes as Buffer) : reject(error)),
      );
      signal?.addEventListener('abort', () => call.cancel(), { once: true });
    });
  }

  watch(): ClientReadableStream<Message> {
    return this.#client.makeServerStreamRequest(
      '/norikv.v1.Meta/WatchCluster',
      (view: Message) => encode('ClusterView', view),
      (bytes) => decode('ClusterView', bytes),
      {},
    );
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

/** What a call that must fail was told. */
export async function refusal(call: Promise<unknown>): Promise<{ code: number; details: string; error: ServiceError }> {
  const error = await call.then(
    () => {
      throw new Error('The call was not refused.');
    },
    (reason: ServiceError) => reason,
  );
  if (typeof error.code !== 'number') throw error;
  return { code: error.code, details: error.details, error };
}
