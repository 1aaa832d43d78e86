import type { Metric, VectorIndexType } from '../core/vectors/index.ts';
import { DistanceFunction, VectorIndexType as WireIndexType } from './generated/norikv/v1/norikv.ts';

const DISTANCES: Readonly<Record<Metric, DistanceFunction>> = {
  euclidean: DistanceFunction.EUCLIDEAN,
  cosine: DistanceFunction.COSINE,
  innerProduct: DistanceFunction.INNER_PRODUCT,
};

const INDEX_TYPES: Readonly<Record<VectorIndexType, WireIndexType>> = {
  exact: WireIndexType.BRUTE_FORCE,
  hnsw: WireIndexType.HNSW,
};

function named<N extends string>(names: Readonly<Record<N, number>>, number: number): N | undefined {
  return (Object.keys(names) as N[]).find((name) => names[name] === number); // Object.keys forgets the names
}

export function toWireMetric(metric: Metric): DistanceFunction {
  return DISTANCES[metric];
}

/** `undefined` where it is unspecified, or none that this version knows. */
export function fromWireMetric(distance: DistanceFunction): Metric | undefined {
  return named(DISTANCES, distance);
}

export function toWireIndexType(type: VectorIndexType): WireIndexType {
  return INDEX_TYPES[type];
}

/** `undefined` where it is unspecified, or none that this version knows. */
export function fromWireIndexType(type: WireIndexType): VectorIndexType | undefined {
  return named(INDEX_TYPES, type);
}
