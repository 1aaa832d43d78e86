import { createHash } from 'node:crypto';
import { encodeTuple } from '../../core/keys/index.ts';
import type { Chunking } from '../../core/model/model.ts';
import type { Metric, VectorIndexType } from '../../core/vectors/index.ts';
import type { KeyScope } from '../keyspace.ts';
import { CUTS_LENGTH, HASH_LENGTH, SPACE_ID_LENGTH } from './entry.ts';

/** All that decides what a vector means: vectors of two specs are never compared. */
export interface SpaceSpec {
  /** The id of the embedder; `'given'` where users give the vectors. */
  readonly embedder: string;
  readonly dimensions: number;
  readonly metric: Metric;
  readonly index: VectorIndexType;
  readonly template: string;
  /** How a text is cut; absent where it has one vector. */
  readonly chunk?: Chunking | undefined;
}

/** The embedder of a space whose vectors are given. */
export const GIVEN = 'given';

/** The vectors of one embedding of one entity of one tenant, under one spec. */
export interface VectorSpace {
  readonly spec: SpaceSpec;
  /** Names the embedding and the spec in an envelope. */
  readonly id: string;
  /** Where its vectors are in the store. */
  readonly namespace: string;
}

function digest(value: Uint8Array | string, length: number): string {
  return createHash('sha256').update(value).digest('base64url').slice(0, length);
}

export function spaceOf(scope: KeyScope, embedding: string, spec: SpaceSpec): VectorSpace {
  const { embedder, dimensions, metric, index, template, chunk } = spec;
  const cutting = chunk === undefined ? [] : [chunk.size, chunk.overlap];
  const fingerprint = digest(
    JSON.stringify([embedding, embedder, dimensions, metric, index, template, ...cutting]),
    22,
  );
  // Readable, and told apart by the digest whatever the names are.
  const readable = `${scope[3]}.${embedding}`.replace(/[^\w.-]/g, '_').slice(0, 100);
  const namespace = `${readable}.${digest(encodeTuple([...scope, embedding, fingerprint]), 22)}`;
  return { spec, id: digest(fingerprint, SPACE_ID_LENGTH), namespace };
}

/** Of the exact text that is embedded. */
export function hashOfText(text: string): string {
  return digest(text, HASH_LENGTH);
}

/** Of where a text was cut. */
export function hashOfCuts(passages: readonly { readonly start: number; readonly end: number }[]): string {
  return digest(JSON.stringify(passages.map(({ start, end }) => [start, end])), CUTS_LENGTH);
}

/** Of a vector that was given. */
export function hashOfVector(vector: Float32Array): string {
  return digest(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), HASH_LENGTH);
}

export function sameSpec(a: SpaceSpec, b: SpaceSpec): boolean {
  return (
    a.embedder === b.embedder &&
    a.dimensions === b.dimensions &&
    a.metric === b.metric &&
    a.index === b.index &&
    a.template === b.template &&
    a.chunk?.size === b.chunk?.size &&
    a.chunk?.overlap === b.chunk?.overlap
  );
}
