import { StoreService, VectorService } from '../../wire/index.ts';
import { type CallKind, judge } from './failures.ts';
import { type Node, StatusError } from './node.ts';
import type { Patience } from './patience.ts';
import { type Answer, isWrite, type Question, type RequestOf, type Transport, type Verb } from './transport.ts';
import type { Method } from './unary-call.ts';

const METHODS: { readonly [V in Verb]: Method<Question<V>, Answer<V>> } = {
  get: StoreService.get,
  put: StoreService.put,
  delete: StoreService.delete,
  scan: StoreService.scan,
  commit: StoreService.commit,
  listVectors: StoreService.listVectors,
  createIndex: VectorService.createIndex,
  dropIndex: VectorService.dropIndex,
  insertVector: VectorService.insert,
  deleteVector: VectorService.delete,
  searchVectors: VectorService.search,
  getVector: VectorService.get,
};

/** A message for each call. Errors: what the caller is to be told, and `NotLeaderError`. */
export async function callUnary<Q, A>(
  node: Node,
  method: Method<Q, A>,
  question: Q,
  patience: Patience,
  kind: CallKind,
): Promise<A> {
  try {
    return await node.unary(method, question, patience, kind.isWrite);
  } catch (error) {
    throw error instanceof StatusError ? judge(node.address, error.status, kind) : error;
  }
}

/** Every call to norimaki's server, and the calls for vectors to any. */
export class UnaryTransport implements Transport {
  readonly #node: Node;
  readonly #isOurs: boolean;

  constructor(node: Node, isOurs: boolean) {
    this.#node = node;
    this.#isOurs = isOurs;
  }

  call<V extends Verb>({ $case, value }: RequestOf<V>, patience: Patience): Promise<Answer<V>> {
    // The table has the method of each verb; TypeScript does not see that `$case` is `V`.
    const method = METHODS[$case as V];
    const namespace = 'namespace' in value ? value.namespace : undefined;
    const kind = { isWrite: isWrite($case), isOurs: this.#isOurs, namespace };
    return callUnary(this.#node, method, value as Question<V>, patience, kind);
  }

  close(): void {}
}
