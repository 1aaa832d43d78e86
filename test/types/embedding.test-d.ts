import { expectTypeOf } from 'vitest';
import { z } from 'zod';
import type {
  Default,
  Draft,
  EmbeddingFields,
  EntityInput,
  ShapeOf,
  UniqueWhere,
  Where,
} from '../../src/core/model/index.ts';
import type { Version } from '../../src/core/version.ts';
import { defineEntity, Embedding, Entity, Field, Id, uuidv7, Versioned } from '../../src/decorators/index.ts';
import type { Embedder, Passage, SearchHit, VectorRepository } from '../../src/index.ts';

declare const embedder: Embedder;

interface Named {
  name: string;
}

// What compiles, in either mode.
@Entity('product')
@Embedding('text', { from: ['name', 'tags'] })
@Embedding('label', { from: (product: Product) => product.label(), mode: 'deferred', template: '2' })
@Embedding('place', { dimensions: 2, metric: 'euclidean', index: 'exact' })
class Product {
  @Id() sku!: Id<string>;
  @Field(z.string()) name!: string;
  @Field(z.number()) stock: Default<number> = 0;
  @Field(z.enum(['dry', 'fresh'])) kind: Default<'dry' | 'fresh'> = 'dry';
  @Field(z.array(z.string())) tags: Default<string[]> = [];
  @Field(z.string().nullish()) note?: string | null;
  @Field(z.instanceof(Uint8Array)) hash!: Uint8Array;
  @Versioned() version?: Version;
  @Embedding({ from: 'name' }) byField?: Float32Array;
  @Embedding({ from: ['sku', 'name', 'kind', 'tags', 'note'] }) byFields?: Float32Array;
  @Embedding({ from: (product: Product) => product.note }) byFunction?: Float32Array;
  @Embedding({ from: (named: Named) => named.name }) ofAnythingNamed?: Float32Array;
  @Embedding({ from: 'name', chunk: { size: 800, overlap: 100, limit: 64 } }) byPassage?: Float32Array;
  @Embedding({ from: () => undefined, embedder }) never: Float32Array | undefined;
  @Embedding({ dimensions: 384 }) given?: Float32Array | undefined;
  @Embedding({ dimensions: 384 }) onArrayBuffer?: Float32Array<ArrayBuffer>;

  label(): string {
    return this.name;
  }
}

@Entity('subproduct')
@Embedding('more', { from: ['name', 'origin'] })
export class Subproduct extends Product {
  @Field(z.string()) origin!: string;
  @Embedding({ from: (product: Product) => product.name }) override given: Float32Array | undefined = undefined;
}

@Embedding('title', { from: 'title' })
export abstract class Titled {
  @Field(z.string()) title!: string;
}

// What does not.
@Entity('fields')
export class Fields {
  @Id() id!: Id<string>;
  @Field(z.string()) name!: string;
  @Field(z.number()) stock!: number;
  @Field(z.array(z.number())) sizes!: number[];

  // @ts-expect-error: there is no such field.
  @Embedding({ from: 'nam' }) misspelt?: Float32Array;
  // @ts-expect-error: nor in a list.
  @Embedding({ from: ['name', 'nam'] }) misspeltInList?: Float32Array;
  // @ts-expect-error: a number is no text.
  @Embedding({ from: 'stock' }) number?: Float32Array;
  // @ts-expect-error: nor are several.
  @Embedding({ from: 'sizes' }) numbers?: Float32Array;
  // @ts-expect-error: the function takes another class.
  @Embedding({ from: (product: Product) => product.name }) other?: Float32Array;
  // @ts-expect-error: the function makes a number.
  @Embedding({ from: (fields: Fields) => fields.stock }) notText?: Float32Array;
  // @ts-expect-error: the function makes a promise.
  @Embedding({ from: async (fields: Fields) => fields.name }) later?: Float32Array;
  // @ts-expect-error: a field that is never empty cannot be left unset.
  @Embedding({ from: 'name' }) always!: Float32Array;
  // @ts-expect-error: undefined is no vector, and null is nothing else.
  @Embedding({ from: 'name' }) nullable?: Float32Array | null;
  // @ts-expect-error: numbers are no vector.
  @Embedding({ from: 'name' }) plain?: number[];
  // @ts-expect-error: double precision is more than a vector keeps.
  @Embedding({ from: 'name' }) double?: Float64Array;
  // @ts-expect-error: neither a source nor a length.
  @Embedding({}) nothing?: Float32Array;
  // @ts-expect-error: nothing at all.
  @Embedding() bare?: Float32Array;
  // @ts-expect-error: the embedder knows how long its vectors are.
  @Embedding({ from: 'name', dimensions: 384 }) both?: Float32Array;
  // @ts-expect-error: a vector that is given is there at once.
  @Embedding({ dimensions: 384, mode: 'deferred' }) deferred?: Float32Array;
  // @ts-expect-error: there is nothing to embed.
  @Embedding({ dimensions: 384, embedder }) embedded?: Float32Array;
  // @ts-expect-error: no embedder.
  @Embedding({ from: 'name', embedder: {} }) noEmbedder?: Float32Array;
  // @ts-expect-error: no such metric.
  @Embedding({ from: 'name', metric: 'manhattan' }) metric?: Float32Array;
  // @ts-expect-error: no such mode.
  @Embedding({ from: 'name', mode: 'later' }) mode?: Float32Array;
  // @ts-expect-error: no such index.
  @Embedding({ from: 'name', index: 'ivf' }) index?: Float32Array;
  // @ts-expect-error: only a text is cut.
  @Embedding({ dimensions: 384, chunk: { size: 800 } }) cutGiven?: Float32Array;
  // @ts-expect-error: how long is a passage?
  @Embedding({ from: 'name', chunk: { overlap: 100 } }) cutNowhere?: Float32Array;
  // @ts-expect-error: no such option.
  @Embedding({ from: 'name', dimension: 384 }) option?: Float32Array;
  // @ts-expect-error: on a field it has no name.
  @Embedding('text', { from: 'name' }) named?: Float32Array;
  // @ts-expect-error: a method is no field.
  @Embedding({ from: 'name' }) method(): void {}
}

// @ts-expect-error: there is no such field.
@Embedding('text', { from: 'nam' })
@Entity('class')
export class WrongField extends Titled {}

// @ts-expect-error: nor in a list.
@Embedding('text', { from: ['title', 'nam'] })
@Entity('class')
export class WrongFields extends Titled {}

// @ts-expect-error: the function takes another class.
@Embedding('text', { from: (product: Product) => product.name })
@Entity('class')
export class WrongFunction extends Titled {}

// @ts-expect-error: on a class it has a name.
@Embedding({ from: 'title' })
@Entity('class')
export class Unnamed extends Titled {}

// @ts-expect-error: neither a source nor a length.
@Embedding('text', {})
@Entity('class')
export class Sourceless extends Titled {}

// A vector is given to create, or it is not.
const input = <T extends object>(_: new () => T, value: EntityInput<T>) => value;
const vector = new Float32Array(384);
const product = { sku: 'NORI-1', name: 'Toasted nori', hash: Uint8Array.of(1) };
input(Product, product);
input(Product, { ...product, given: vector, byField: vector });
input(Product, { ...product, given: undefined });
// @ts-expect-error: numbers are no vector.
input(Product, { ...product, given: [1, 2] });
// @ts-expect-error: an embedding of the class has no field.
input(Product, { ...product, text: vector });
(draft: Draft<Product>) => {
  draft.given = vector;
  draft.given = undefined;
  delete draft.byField;
  // @ts-expect-error: numbers are no vector.
  draft.given = [1, 2];
};
expectTypeOf<Where<Product>>().not.toHaveProperty('byField');
expectTypeOf<UniqueWhere<Product>>().not.toHaveProperty('byField');
expectTypeOf<UniqueWhere<Product>>().toHaveProperty('hash');

// What a search can name.
expectTypeOf<EmbeddingFields<Product>>().toEqualTypeOf<
  'byField' | 'byFields' | 'byPassage' | 'byFunction' | 'ofAnythingNamed' | 'never' | 'given' | 'onArrayBuffer'
>();
expectTypeOf<EmbeddingFields<Titled>>().toEqualTypeOf<string>();
// biome-ignore lint/suspicious/noExplicitAny: what somebody else's class may have.
expectTypeOf<EmbeddingFields<{ anything: any; nothing: undefined; vector: Float32Array }>>().toEqualTypeOf<'vector'>();
expectTypeOf<'given'>().toExtend<ShapeOf<typeof Product>['embedding']>();
expectTypeOf<'text'>().toExtend<ShapeOf<typeof Product>['embedding']>();
// Not swallowed by any string, so that editors complete them.
expectTypeOf<ShapeOf<typeof Product>['embedding']>().not.toEqualTypeOf<string>();

// Without decorators.
const fields = z.object({
  id: z.uuid(),
  title: z.string(),
  tags: z.array(z.string()).default([]),
  size: z.number(),
  note: z.string().optional(),
});
const Task = defineEntity('task', fields, {
  id: 'id',
  generate: uuidv7,
  embeddings: {
    text: { from: ['title', 'tags', 'note'], chunk: { size: 200 } },
    // Knows the entity by itself.
    shout: { from: (task) => task.title.toUpperCase(), mode: 'deferred' },
    photo: { dimensions: 512 },
  },
  versioned: 'version',
});
type Task = ShapeOf<typeof Task>;
expectTypeOf<Task['embedding']>().toEqualTypeOf<'text' | 'shout' | 'photo'>();
expectTypeOf<Task['input']>().toEqualTypeOf<{
  id?: string | undefined;
  title: string;
  tags?: string[] | undefined;
  size: number;
  note?: string | undefined;
  text?: Float32Array | undefined;
  shout?: Float32Array | undefined;
  photo?: Float32Array | undefined;
}>();
expectTypeOf<Task['entity']['photo']>().toEqualTypeOf<Float32Array | undefined>();
expectTypeOf<Task['entity']['version']>().toEqualTypeOf<Version | undefined>();
expectTypeOf<Task['draft']['photo']>().toEqualTypeOf<Float32Array | undefined>();
expectTypeOf<Task['where']>().not.toHaveProperty('photo');
expectTypeOf<Task['unique']>().not.toHaveProperty('photo');
const Plain = defineEntity('plain', fields, { id: 'id' });
expectTypeOf<ShapeOf<typeof Plain>['embedding']>().toBeNever();

expectTypeOf<SearchHit<object>['passage']>().toEqualTypeOf<Passage | undefined>();
// A filter is a test of the entity.
declare const products: VectorRepository<ShapeOf<typeof Product>>;
declare const tasks: VectorRepository<Task>;
products.search('tea', { filter: (found) => found.name.length < 10 && found.label() !== '', where: { stock: 1 } });
products.similarTo('NORI-1', { filter: ({ tags }) => tags.includes('dry') });
tasks.search('tea', { filter: ({ tags, size }) => tags.length < size });
// @ts-expect-error: it has no such field.
tasks.search('tea', { filter: ({ titel }) => titel === '' });
// @ts-expect-error: nor a promise is an answer.
products.search('tea', { filter: async ({ name }) => name === '' });
// @ts-expect-error: nor is a text.
products.search('tea', { filter: ({ name }) => name });

// @ts-expect-error: there is no such field.
defineEntity('task', fields, { id: 'id', embeddings: { text: { from: 'titel' } } });
// @ts-expect-error: nor in a list.
defineEntity('task', fields, { id: 'id', embeddings: { text: { from: ['title', 'titel'] } } });
// @ts-expect-error: a number is no text.
defineEntity('task', fields, { id: 'id', embeddings: { text: { from: 'size' } } });
// @ts-expect-error: nor from a function.
defineEntity('task', fields, { id: 'id', embeddings: { text: { from: (task) => task.size } } });
// @ts-expect-error: the function takes another entity.
defineEntity('task', fields, { id: 'id', embeddings: { text: { from: (named: Named) => named.name } } });
// @ts-expect-error: neither a source nor a length.
defineEntity('task', fields, { id: 'id', embeddings: { text: {} } });
// @ts-expect-error: the embedder knows how long its vectors are.
defineEntity('task', fields, { id: 'id', embeddings: { text: { from: 'title', dimensions: 3 } } });
// @ts-expect-error: the title is stored, a vector is not.
defineEntity('task', fields, { id: 'id', embeddings: { title: { from: 'title' } } });
