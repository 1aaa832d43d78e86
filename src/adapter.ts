/**
 * What an adapter on the Store port is made of. Prove yours with `storeContract` of `norimaki/testing`.
 *
 * @packageDocumentation
 */
export { abortedError, orAborted, throwIfAborted } from './core/abort.ts';
export {
  checkCommit,
  checkExpiry,
  checkKey,
  checkPrecondition,
  checkValue,
  MAX_PAGE,
  pageLimit,
} from './core/checks.ts';
export { compareKeys, decodeTuple, encodeTuple, type KeyPart, prefixRange } from './core/keys/index.ts';
export { preconditionFailure } from './core/precondition.ts';
export {
  type Capabilities,
  type Change,
  type CommitOperation,
  type CommitOptions,
  type CommitStore,
  type Consistency,
  canCommit,
  canScan,
  canWatch,
  DEFAULT_LIMITS,
  type DeleteOptions,
  hasVectors,
  type Key,
  type KeyRange,
  type Precondition,
  type PutOptions,
  type ReadOptions,
  type ScanOptions,
  type ScanPage,
  type ScanStore,
  type Store,
  type Stored,
  type StoreOpener,
  type StoreSource,
  type VectorStore,
  type Watch,
  type WatchOptions,
  type WatchStore,
  type WriteOptions,
} from './core/store.ts';
export {
  checkDimensions,
  checkIndexOptions,
  checkK,
  checkNamespace,
  checkSameIndex,
  checkVector,
  checkVectorId,
  checkVectorWrites,
  compareIds,
  distance,
  MAX_DIMENSIONS,
  MAX_K,
  type Metric,
  missingIndex,
  nearest,
  type VectorIndexOptions,
  type VectorIndexType,
  type VectorListOptions,
  type VectorMatch,
  type VectorName,
  type Vectors,
  type VectorWrite,
} from './core/vectors/index.ts';
export { makeVersion, type Version, versionParts } from './core/version.ts';
export { ChangeQueue, Watches, watchLost } from './core/watch/index.ts';
