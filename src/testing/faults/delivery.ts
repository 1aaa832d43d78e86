import { NorimakiError } from '../../core/errors.ts';
import { preconditionFailure } from '../../core/precondition.ts';
import type {
  Capabilities,
  CommitOperation,
  CommitOptions,
  DeleteOptions,
  PutOptions,
  Store,
  WriteOptions,
} from '../../core/store.ts';
import { canCommit } from '../../core/store.ts';
import type { VectorWrite } from '../../core/vectors/index.ts';
import { makeVersion, type Version } from '../../core/version.ts';
import { capabilityMissing } from '../store-wrapper.ts';

/** A write that can be delivered to a store, also again or later: its bytes are its own. */
export interface Delivery {
  readonly operations: readonly CommitOperation[];
  readonly vectors: readonly VectorWrite[];
  /** Of a call to the vectors of a store: what it writes. */
  readonly vectorCall?: 'vector' | 'namespace' | undefined;
  readonly idempotencyKey: string | undefined;
  /** Delivers it as a network would, with nobody to abort it. */
  send(to: Store): Promise<unknown>;
}

export function putDelivery(operation: CommitOperation & { type: 'put' }, options: PutOptions = {}): Delivery {
  const { key, value } = copyOf(operation);
  const sent = withoutSignal(options);
  return { ...describe([operation], options), send: (to) => to.put(key, value, sent) };
}

export function deleteDelivery(operation: CommitOperation & { type: 'delete' }, options: DeleteOptions = {}): Delivery {
  const { key } = copyOf(operation);
  const sent = withoutSignal(options);
  return { ...describe([operation], options), send: (to) => to.delete(key, sent) };
}

export function commitDelivery(operations: readonly CommitOperation[], options: CommitOptions = {}): Delivery {
  const copies = operations.map(copyOf);
  const vectors = options.vectors?.map(copyOfWrite) ?? [];
  const sent = { ...withoutSignal(options), vectors };
  return {
    ...describe(copies, options),
    vectors,
    async send(to) {
      if (!canCommit(to)) throw capabilityMissing('commit', 'commit()');
      return to.commit(copies, sent);
    },
  };
}

function describe(operations: readonly CommitOperation[], { idempotencyKey }: WriteOptions): Omit<Delivery, 'send'> {
  return { operations: operations.map(copyOf), vectors: [], idempotencyKey };
}

function copyOf<O extends CommitOperation>(operation: O): O {
  const key = Uint8Array.from(operation.key);
  return operation.type === 'put'
    ? { ...operation, key, value: Uint8Array.from(operation.value) }
    : { ...operation, key };
}

export function copyOfWrite<W extends VectorWrite>(write: W): W {
  // What is no vector is left as it is, for the store to refuse.
  return write.type === 'insert' && write.vector instanceof Float32Array
    ? { ...write, vector: Float32Array.from(write.vector) }
    : { ...write };
}

export function withoutSignal<O extends WriteOptions>(options: O): O {
  return { ...options, signal: undefined };
}

/**
 * Whether a second delivery cannot apply the write twice: the store remembers it, or the first moved the version that
 * the second expects. (`ifAbsent` is no such protection: the record may be deleted in between.)
 */
export function isSafeToRepeat({ operations, idempotencyKey }: Delivery, capabilities: Capabilities): boolean {
  if (capabilities.idempotency && idempotencyKey !== undefined) return true;
  return operations.some((operation) => operation.type !== 'check' && operation.ifMatch !== undefined);
}

/**
 * The same for a second delivery right after the first, when an `ifAbsent` still finds what the first wrote, and a
 * vector, which has no version, becomes what it is.
 */
export function isSafeToRepeatAtOnce(delivery: Delivery, capabilities: Capabilities): boolean {
  if (delivery.vectorCall !== undefined || isSafeToRepeat(delivery, capabilities)) return true;
  return delivery.operations.some((operation) => operation.type === 'put' && operation.ifAbsent === true);
}

/** Whether the write can be refused. */
export function isConditional({ operations }: Delivery): boolean {
  return operations.some(hasPrecondition);
}

function hasPrecondition(operation: CommitOperation): boolean {
  return operation.ifMatch !== undefined || (operation.type !== 'delete' && operation.ifAbsent === true);
}

/** The refusal that the write would meet if somebody had been faster. */
export function pretendedRefusal({ operations }: Delivery, verb: string, call: number): NorimakiError {
  const at = operations.findIndex(hasPrecondition);
  return (
    preconditionFailure(operations[at] ?? {}, pretendedVersion(call), verb === 'commit' ? at : undefined) ??
    new NorimakiError('argument.invalid', 'Only a conditional write can meet a conflict.', { argument: 'operations' })
  );
}

/** Of a write that nobody made: high enough that no store reaches it. */
function pretendedVersion(call: number): Version {
  return makeVersion(2n ** 64n - 1n, BigInt(call));
}
