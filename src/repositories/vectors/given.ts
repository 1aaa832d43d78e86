import { NorimakiError } from '../../core/errors.ts';
import type { EmbeddingModel, EntityModel } from '../../core/model/model.ts';

/** A vector that the user gave in place of the one that an embedder would make. */
interface GivenVector {
  readonly vector: Float32Array;
  /** The text that it stands for: once that changes, the vector counts no more. */
  readonly text: string | undefined;
}

export type GivenVectors = ReadonlyMap<string, GivenVector>;

/** The vectors in the fields of what `create`, `put` or `mutate` was given. Errors: `validation.failed`. */
export function givenVectors(model: EntityModel, input: object, entity: () => object): GivenVectors | undefined {
  let given: Map<string, GivenVector> | undefined;
  for (const embedding of model.embeddings) {
    // An entity is read by field name.
    const value = embedding.isField ? (input as Readonly<Record<string, unknown>>)[embedding.name] : undefined;
    if (value === undefined) continue;
    given ??= new Map();
    const vector = checked(model, embedding, value);
    given.set(embedding.name, { vector, text: embedding.source?.(entity()) });
  }
  return given;
}

function checked(model: EntityModel, { name, dimensions, chunk }: EmbeddingModel, value: unknown): Float32Array {
  const refuse = (message: string): never => {
    throw new NorimakiError('validation.failed', `${model.name}.${name} ${message}.`, {
      entity: model.name,
      issues: [{ path: [name], message }],
    });
  };
  if (chunk !== undefined) return refuse('has a vector for each passage of its text, and none can be given');
  if (!(value instanceof Float32Array)) return refuse('holds no Float32Array');
  if (dimensions !== undefined && value.length !== dimensions) {
    return refuse(`has ${value.length} dimensions, not ${dimensions}`);
  }
  if (!value.every(Number.isFinite)) return refuse('holds NaN, an infinity or a number beyond 32 bits');
  return Float32Array.from(value);
}
