import type { EmbeddingSource } from '../core/model/index.ts';
import type { EmbeddingClassDecorator, EmbeddingFieldDecorator, EmbeddingOptions } from './embedding-types.ts';
import { type ClassContext, noteClass, noteField, type PropertyArguments } from './notes.ts';

/**
 * Keeps a vector of each entity in step with the text that it is made of, so that `search` finds the entity by it. On a
 * field: the vector can also be given there to `create`, `put` and `mutate`; the field is not stored, and reads leave it
 * unset. On a class: under a name, without a field.
 *
 * @example
 * ```ts
 * @Entity('product')
 * @Embedding('text', { from: ['name', 'description'] })
 * class Product {
 *   @Id() sku!: Id<string>;
 *   @Field(z.string()) name!: string;
 *   @Field(z.string().optional()) description?: string;
 *   @Embedding({ from: (p: Product) => p.name.toLowerCase() }) nameVector?: Float32Array;
 *   @Embedding({ dimensions: 512 }) photo?: Float32Array;
 * }
 * ```
 */
export function Embedding<const From extends EmbeddingSource | undefined = undefined>(
  options: EmbeddingOptions<From>,
): EmbeddingFieldDecorator<From>;
export function Embedding<const From extends EmbeddingSource | undefined = undefined>(
  name: string,
  options: EmbeddingOptions<From>,
): EmbeddingClassDecorator<From>;
export function Embedding(first: string | EmbeddingOptions, second?: EmbeddingOptions): (...args: never) => void {
  const [name, given] = typeof first === 'string' ? [first, second] : [undefined, first];
  // A program without types may leave them out; the compiler of the model says what is missing.
  const options = { ...given } as EmbeddingOptions;
  return (
    target: object | undefined,
    context: ClassContext | PropertyArguments[1],
    descriptor?: PropertyDescriptor,
  ) => {
    if (context === undefined || (typeof context === 'object' && context.kind === 'class')) {
      embeddingOfClass(target as object, context, name, options); // A class decorator always has a target.
    } else {
      embeddingOfField([target, context, descriptor], name, options);
    }
  };
}

function embeddingOfClass(
  target: object,
  context: ClassContext,
  name: string | undefined,
  options: EmbeddingOptions,
): void {
  noteClass(target, context, (notes) => {
    const problem = (text: string) => notes.problems.push({ text });
    if (name === undefined) {
      problem("has @Embedding without a name. On a class it takes one: @Embedding('text', { from: … }).");
    } else if (notes.embeddings.some((embedding) => embedding.name === name)) {
      problem(`has @Embedding(${JSON.stringify(name)}) twice. Keep one.`);
    } else {
      // The lowest decorator of a class runs first.
      notes.embeddings.unshift({ ...options, name });
    }
  });
}

function embeddingOfField(args: PropertyArguments, name: string | undefined, options: EmbeddingOptions): void {
  noteField('@Embedding', args, (field, _name, problem) => {
    if (name !== undefined) {
      problem('has @Embedding with a name. On a field it takes none: @Embedding({ from: … }).');
    } else if (field.embedding !== undefined) {
      problem('has @Embedding twice. Keep one.');
    }
    field.embedding = options;
  });
}
