import { expect, test } from 'vitest';
import { z } from 'zod';
import type { Embedder } from '../core/embedder.ts';
import type { EntitySource } from '../core/model/index.ts';
import { declarationOf, defineEntity, Embedding, Entity, Field, Id, Index, modelOf } from './index.ts';

const embedder: Embedder = { id: 'acme/tiny@1', dimensions: 2, embed: async (texts) => texts.map(() => [0, 1]) };

/** Its embeddings, each with the text that it makes of an entity. */
function embeddingsOf(source: EntitySource, entity: object = {}): unknown {
  return modelOf(source).embeddings.map(({ source, ...rest }) => ({ ...rest, text: source?.(entity) }));
}

const namesOf = (source: EntitySource) => modelOf(source).embeddings.map(({ name }) => name);

test('each decorator adds an embedding: first those of fields, then those of the class, as they are read', () => {
  const from = (product: Product) => product.name.toUpperCase();
  @Entity('product')
  @Embedding('text', { from: ['name', 'note'], mode: 'deferred', embedder, template: '2' })
  @Embedding('place', { dimensions: 2, metric: 'euclidean', index: 'exact' })
  class Product {
    @Embedding({ from: 'name' }) nameVector?: Float32Array;
    @Id() sku!: Id<string>;
    @Field(z.string()) name!: string;
    @Embedding({ from }) shout?: Float32Array;
    @Field(z.string().optional()) note?: string;
  }
  expect(declarationOf(Product).embeddings).toEqual([
    { name: 'nameVector', isField: true, from: 'name' },
    { name: 'shout', isField: true, from },
    { name: 'text', isField: false, from: ['name', 'note'], mode: 'deferred', embedder, template: '2' },
    { name: 'place', isField: false, dimensions: 2, metric: 'euclidean', index: 'exact' },
  ]);
  expect(embeddingsOf(Product, { name: 'Nori', note: 'toasted' })).toMatchObject([
    { name: 'nameVector', text: 'Nori' },
    { name: 'shout', text: 'NORI' },
    { name: 'text', text: 'Nori\ntoasted' },
    { name: 'place', text: undefined },
  ]);
});

test('a vector is not stored', () => {
  @Entity('product')
  @Embedding('text', { from: 'sku' })
  class Product {
    @Id() sku!: Id<string>;
    @Embedding({ dimensions: 2 }) photo?: Float32Array = new Float32Array(2);
  }
  const model = modelOf(Product);
  expect(model.fields).toEqual(['sku']);
  expect(model.codec.encodeBody({ sku: 'NORI-1' })).not.toContain('photo');
});

@Embedding('text', { from: 'title' })
abstract class Titled {
  @Id() id!: Id<string>;
  @Field(z.string()) title!: string;
  @Embedding({ from: 'title' }) vector?: Float32Array | undefined;
}

@Entity('page')
class Page extends Titled {
  @Field(z.string()) body!: string;
  @Embedding({ dimensions: 2 }) image?: Float32Array;
}

@Entity('article')
@Embedding('whole', { from: 'body' })
@Embedding('text', { from: ['title', 'body'] })
class Article extends Page {
  @Embedding({ from: 'body', metric: 'innerProduct' }) override vector: Float32Array | undefined = undefined;
}

test('a subclass has the embeddings of its parents first', () => {
  expect(namesOf(Page)).toEqual(['vector', 'image', 'text']);
  expect(namesOf(Article)).toEqual(['vector', 'image', 'text', 'whole']);
});

test('an embedding declared anew keeps its place, and its parent is as it was', () => {
  const entity = { title: 'A', body: 'B' };
  expect(embeddingsOf(Article, entity)).toMatchObject([
    { name: 'vector', text: 'B', metric: 'innerProduct', template: 'fields:["body"]' },
    { name: 'image', dimensions: 2 },
    { name: 'text', text: 'A\nB', template: 'fields:["title","body"]' },
    { name: 'whole', text: 'B' },
  ]);
  expect(embeddingsOf(Page, entity)).toMatchObject([
    { name: 'vector', text: 'A', metric: 'cosine', template: 'fields:["title"]' },
    { name: 'image', dimensions: 2 },
    { name: 'text', text: 'A', template: 'fields:["title"]' },
  ]);
});

test('what is embedded anew does not take over an option of its parent', () => {
  @Entity('given')
  class Given extends Titled {
    @Embedding({ dimensions: 3 }) override vector: Float32Array | undefined = undefined;
  }
  expect(embeddingsOf(Given)).toMatchObject([{ name: 'vector', dimensions: 3, text: undefined }, { name: 'text' }]);
});

test('siblings do not see each other', () => {
  @Entity('left')
  @Embedding('left', { from: 'title' })
  class Left extends Titled {}
  @Entity('right')
  @Embedding('right', { from: 'title' })
  class Right extends Titled {}
  expect(namesOf(Left)).toEqual(['vector', 'text', 'left']);
  expect(namesOf(Right)).toEqual(['vector', 'text', 'right']);
});

test('options are read when the decorator runs, not later', () => {
  const options = { dimensions: 2 };
  @Entity('late')
  class Late {
    @Id() id!: Id<string>;
    @Embedding(options) vector?: Float32Array;
  }
  options.dimensions = 3;
  expect(embeddingsOf(Late)).toMatchObject([{ dimensions: 2 }]);
});

test('stands beside any decorator of another field', () => {
  @Entity('indexed')
  class Indexed {
    @Embedding({ from: 'name' }) vector?: Float32Array;
    @Field(z.string()) @Index() name!: string;
    @Id() id!: Id<string>;
  }
  expect(modelOf(Indexed)).toMatchObject({ fields: ['name', 'id'], indexes: [{ name: 'name' }] });
});

test('defineEntity gives the same embeddings', () => {
  const from = ({ name }: { name: string }) => name.toUpperCase();
  @Entity('product')
  class Decorated {
    @Id(z.string()) sku!: Id<string>;
    @Field(z.string()) name!: string;
    @Embedding({ from: ['name', 'sku'], mode: 'deferred' }) text?: Float32Array;
    @Embedding({ from, embedder }) shout?: Float32Array;
    @Embedding({ dimensions: 2, metric: 'innerProduct', index: 'exact' }) photo?: Float32Array;
  }
  const Defined = defineEntity('product', z.object({ sku: z.string(), name: z.string() }), {
    id: 'sku',
    embeddings: {
      text: { from: ['name', 'sku'], mode: 'deferred' },
      shout: { from, embedder },
      photo: { dimensions: 2, metric: 'innerProduct', index: 'exact' },
    },
  });
  const entity = { sku: 'N-1', name: 'Nori' };
  expect(embeddingsOf(Defined, entity)).toEqual(embeddingsOf(Decorated, entity));
  expect(modelOf(Defined).fields).toEqual(['sku', 'name']);
});
