export {
  checkDimensions,
  checkIndexOptions,
  checkK,
  checkNamespace,
  checkSameIndex,
  checkVector,
  checkVectorId,
  checkVectorWrites,
  MAX_DIMENSIONS,
  MAX_K,
  missingIndex,
} from './checks.ts';
export { distance } from './distance.ts';
export { compareIds, nearest } from './order.ts';
export type {
  Metric,
  VectorIndexOptions,
  VectorIndexType,
  VectorListOptions,
  VectorMatch,
  VectorName,
  Vectors,
  VectorWrite,
} from './vectors.ts';
