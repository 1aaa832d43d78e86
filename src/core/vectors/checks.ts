import { NorimakiError } from '../errors.ts';
import type { Metric, VectorIndexOptions, VectorName } from './vectors.ts';

// What every adapter refuses before it writes anything; adapters call these, so that all refuse alike.

export const MAX_DIMENSIONS = 4096;
export const MAX_K = 1000;
const MAX_NAMESPACE_BYTES = 256;
const MAX_ID_BYTES = 512;
const METRICS: ReadonlySet<string> = new Set<Metric>(['cosine', 'euclidean', 'innerProduct']);

function refuse(argument: string, message: string): never {
  throw new NorimakiError('argument.invalid', message, { argument });
}

function checkText(argument: string, text: string, limit: number): void {
  // A program without types may pass anything.
  if (typeof text !== 'string' || text === '' || !text.isWellFormed()) {
    refuse(argument, `The ${argument} of a vector is a string of well-formed Unicode, not empty.`);
  }
  const bytes = Buffer.byteLength(text);
  if (bytes <= limit) return;
  throw new NorimakiError('size.exceeded', `The ${argument} of a vector has ${bytes} bytes; the limit is ${limit}.`, {
    what: argument,
    bytes,
    limit,
  });
}

export function checkNamespace(namespace: string): void {
  checkText('namespace', namespace, MAX_NAMESPACE_BYTES);
}

export function checkVectorId(id: string): void {
  checkText('id', id, MAX_ID_BYTES);
}

export function checkDimensions(dimensions: number): void {
  if (Number.isInteger(dimensions) && dimensions >= 1 && dimensions <= MAX_DIMENSIONS) return;
  refuse('dimensions', `A vector has 1 to ${MAX_DIMENSIONS} dimensions, not ${dimensions}.`);
}

export function checkIndexOptions({ dimensions, metric, type }: VectorIndexOptions): void {
  checkDimensions(dimensions);
  if (!METRICS.has(metric)) refuse('metric', `The metric of an index is ${[...METRICS].join(', ')}.`);
  if (type !== 'hnsw' && type !== 'exact') refuse('type', 'The type of an index is hnsw or exact.');
}

/** `dimensions` is that of the namespace. Nothing is said of the numbers themselves: they may be secret. */
export function checkVector(vector: Float32Array, dimensions: number): void {
  // A program without types may pass anything. What overflows 32 bits is infinite here already.
  if (!(vector instanceof Float32Array)) refuse('vector', 'A vector is a Float32Array.');
  if (vector.length !== dimensions) {
    refuse('vector', `The vector has ${vector.length} dimensions; its namespace has ${dimensions}.`);
  }
  // A loop: `every` takes six times as long, and each search comes here twice.
  for (let i = 0; i < vector.length; i++) {
    if (!Number.isFinite(vector[i])) refuse('vector', 'The vector holds NaN, an infinity or a number beyond 32 bits.');
  }
}

export function checkK(k: number): void {
  if (!Number.isInteger(k) || k < 1 || k > MAX_K) refuse('k', `k is a whole number from 1 to ${MAX_K}.`);
}

/** Names and ids, each vector at most once. What needs the namespace is for `checkVector`. */
export function checkVectorWrites(writes: readonly VectorName[]): void {
  const seen = new Set<string>();
  for (const { namespace, id } of writes) {
    checkNamespace(namespace);
    checkVectorId(id);
    const name = JSON.stringify([namespace, id]);
    if (seen.has(name)) refuse('vectors', 'A commit names each vector at most once.');
    seen.add(name);
  }
}

export function missingIndex(namespace: string): NorimakiError<'index.missing'> {
  return new NorimakiError(
    'index.missing',
    `There is no vector index ${JSON.stringify(namespace)}. Make it with createIndex.`,
    { namespace },
  );
}

/** What `createIndex` says to a namespace that exists. Errors: `argument.invalid` if it has other options. */
export function checkSameIndex(namespace: string, there: VectorIndexOptions, wanted: VectorIndexOptions): void {
  const differs = (['dimensions', 'metric', 'type'] as const).find((option) => there[option] !== wanted[option]);
  if (differs === undefined) return;
  refuse(
    differs,
    `The vector index ${JSON.stringify(namespace)} exists with ${differs} ${there[differs]}, not ${wanted[differs]}. Drop it first, or take another name.`,
  );
}
