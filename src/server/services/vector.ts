import type { norikv } from '../../wire/index.ts';
import type { Operations } from '../calls/operations.ts';
import type { UnaryCalls } from '../calls/unary.ts';

/** `norikv.v1.Vector`. */
export function vectorService(operations: Operations, calls: UnaryCalls): norikv.VectorServer {
  return {
    createIndex: calls.handle(operations.createIndex),
    dropIndex: calls.handle(operations.dropIndex),
    insert: calls.handle(operations.insertVector),
    delete: calls.handle(operations.deleteVector),
    search: calls.handle(operations.searchVectors),
    get: calls.handle(operations.getVector),
  };
}
