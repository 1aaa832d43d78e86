import type { MethodDefinition } from '@grpc/grpc-js';
import { type Encoder, encodeMessage } from './encode.ts';
import * as norikv from './generated/norikv/v1/norikv.ts';
import * as norimaki from './generated/norimaki/v1/norimaki.ts';

// The services as generated, save that messages with records or vectors in them are encoded by `encodeMessage`.

const { KvService: kv, VectorService: vector } = norikv;
const { StoreService: store } = norimaki;

export const KvService = {
  ...kv,
  get: encoded(kv.get, norikv.GetRequest, norikv.GetResponse),
  put: encoded(kv.put, norikv.PutRequest, norikv.PutResponse),
};

export const VectorService = {
  ...vector,
  insert: encoded(vector.insert, norikv.VectorInsertRequest, norikv.VectorInsertResponse),
  search: encoded(vector.search, norikv.VectorSearchRequest, norikv.VectorSearchResponse),
  get: encoded(vector.get, norikv.VectorGetRequest, norikv.VectorGetResponse),
};

export const StoreService = {
  ...store,
  get: encoded(store.get, norimaki.GetRequest, norimaki.GetResponse),
  put: encoded(store.put, norimaki.PutRequest, norimaki.PutResponse),
  scan: encoded(store.scan, norimaki.ScanRequest, norimaki.ScanResponse),
  commit: encoded(store.commit, norimaki.CommitRequest, norimaki.CommitResponse),
  stream: encoded(store.stream, norimaki.Calls, norimaki.Replies),
};

function encoded<Q, A, M extends MethodDefinition<Q, A>>(
  method: M & MethodDefinition<Q, A>,
  question: Encoder<Q>,
  answer: Encoder<A>,
): M {
  return {
    ...method,
    requestSerialize: (message: Q) => encodeMessage(question, message),
    responseSerialize: (message: A) => encodeMessage(answer, message),
  };
}
