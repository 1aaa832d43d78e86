import type { Embedder } from '../core/embedder.ts';
import type { ChunkOptions, EmbeddingMode, EmbeddingSource } from '../core/model/index.ts';
import type { Metric, VectorIndexType } from '../core/vectors/index.ts';
import type { Fit, FitsRange, PlainField } from './types.ts';

/** Options of every embedding. */
interface AnyEmbeddingOptions {
  /** How vectors are compared; `'cosine'` if not given. */
  readonly metric?: Metric | undefined;
  /** `'hnsw'` if not given; `'exact'` misses nothing, and takes longer the more vectors there are. */
  readonly index?: VectorIndexType | undefined;
  /** Names what the vectors are made of, where `from` cannot tell; a new name makes all of them anew. */
  readonly template?: string | undefined;
}

/** Options of an embedding that is made of a text. */
export interface TextEmbeddingOptions<From extends EmbeddingSource = EmbeddingSource> extends AnyEmbeddingOptions {
  /** The text: a field, several fields (those that are set, one per line), or what a function makes of an entity. */
  readonly from: From;
  /** `'inline'` if not given. */
  readonly mode?: EmbeddingMode | undefined;
  /** That of `open` if not given. */
  readonly embedder?: Embedder | undefined;
  /** Cuts a long text into passages with a vector each; a search finds an entity by its best. */
  readonly chunk?: ChunkOptions | undefined;
  /** The embedder knows it. */
  readonly dimensions?: undefined;
}

/** Options of an embedding whose vectors are given. */
export interface GivenEmbeddingOptions extends AnyEmbeddingOptions {
  /** The length of the vectors; 1 to 4,096. */
  readonly dimensions: number;
  readonly from?: undefined;
  readonly mode?: 'inline' | undefined;
  readonly chunk?: undefined;
  readonly embedder?: undefined;
}

/** What `@Embedding` is told. */
export type EmbeddingOptions<From extends EmbeddingSource | undefined = EmbeddingSource | undefined> =
  | TextEmbeddingOptions<NonNullable<From>>
  | GivenEmbeddingOptions;

/** Names of the fields that can be embedded as they are: texts, and lists of texts. */
export type TextField<T> = {
  [K in keyof T]-?: NonNullable<T[K]> extends string | readonly string[] ? K : never;
}[keyof T] &
  string;

type FitsFields<T, Names> = Fit<
  [Names] extends [TextField<T>] ? true : false,
  'from names fields of the first type, not the second; a function can make a text of other fields',
  TextField<T>,
  Names
>;

/** What is embedded can be read from an entity of type `T`. */
type FitsEntity<T, From> = [From] extends [undefined]
  ? unknown
  : From extends (entity: infer E) => unknown
    ? Fit<[T] extends [E] ? true : false, 'from takes the first type, the entity is of the second', E, T>
    : FitsFields<T, From extends readonly (infer Name)[] ? Name : From>;

/** A decorator of a field that holds the vector, or nothing. */
export interface EmbeddingFieldDecorator<From> {
  /** Standard decorators. */
  <This, Value>(
    target: undefined,
    context: ClassFieldDecoratorContext<This, Value> &
      PlainField &
      FitsRange<Value, undefined, Float32Array | undefined> &
      FitsEntity<This, From>,
  ): void;
  /** Legacy decorators. A method or an accessor would come with a descriptor. */
  <This extends object, K extends keyof This & string>(
    target: This,
    key: K & FitsRange<This[K], undefined, Float32Array | undefined> & FitsEntity<This, From>,
    descriptor?: undefined,
  ): void;
}

/** A decorator of a class, also of an abstract one that entities extend. */
export type EmbeddingClassDecorator<From> = <C extends abstract new () => object>(
  target: C & FitsEntity<InstanceType<C>, From>,
  context?: ClassDecoratorContext,
) => void;
