import type { Store, WriteOptions } from '../../core/store.ts';
import type { VectorIndexOptions, Vectors, VectorWrite } from '../../core/vectors/index.ts';
import { vectorsOf } from '../store-wrapper.ts';
import { copyOfWrite, type Delivery, withoutSignal } from './delivery.ts';

/** A write of a vector or of a namespace, as {@link Delivery} says. */
function vectorDelivery(
  kind: NonNullable<Delivery['vectorCall']>,
  vectors: readonly VectorWrite[],
  options: WriteOptions,
  send: (to: Vectors, sent: WriteOptions) => Promise<unknown>,
): Delivery {
  const sent = withoutSignal(options);
  return {
    operations: [],
    vectors,
    vectorCall: kind,
    idempotencyKey: options.idempotencyKey,
    send: async (to: Store) => send(vectorsOf(to, 'vectors'), sent),
  };
}

export function createIndexDelivery(namespace: string, index: VectorIndexOptions, options: WriteOptions): Delivery {
  const copy = { ...index };
  return vectorDelivery('namespace', [], options, (to, sent) => to.createIndex(namespace, copy, sent));
}

export function dropIndexDelivery(namespace: string, options: WriteOptions): Delivery {
  return vectorDelivery('namespace', [], options, (to, sent) => to.dropIndex(namespace, sent));
}

export function insertDelivery(namespace: string, id: string, vector: Float32Array, options: WriteOptions): Delivery {
  const write = copyOfWrite({ type: 'insert', namespace, id, vector });
  return vectorDelivery('vector', [write], options, (to, sent) => to.insert(namespace, id, write.vector, sent));
}

export function deleteVectorDelivery(namespace: string, id: string, options: WriteOptions): Delivery {
  const write = { type: 'delete', namespace, id } as const;
  return vectorDelivery('vector', [write], options, (to, sent) => to.delete(namespace, id, sent));
}
