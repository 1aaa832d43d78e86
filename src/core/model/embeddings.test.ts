import fc from 'fast-check';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { Embedder } from '../embedder.ts';
import { compileModel } from './compile.ts';
import type { EmbeddingDeclaration, EmbeddingModel } from './model.ts';

const embedder: Embedder = { id: 'acme/tiny@1', dimensions: 2, embed: async (texts) => texts.map(() => [0, 1]) };

function compiled(embedding: Partial<EmbeddingDeclaration>): EmbeddingModel {
  const { embeddings } = compileModel({
    name: 'product',
    className: 'Product',
    instantiate: () => ({}),
    fields: [
      { name: 'sku' },
      { name: 'name', schema: z.string().optional() },
      { name: 'tags', schema: z.array(z.string()).nullish() },
      { name: 'size', schema: z.custom<string>() },
    ],
    ids: [{ name: 'sku' }],
    uniques: [],
    indexes: [],
    embeddings: [{ name: 'vector', isField: true, ...embedding }],
  });
  return embeddings[0] as EmbeddingModel; // One is declared.
}

function textOf(from: EmbeddingDeclaration['from'], entity: object): string | undefined {
  return compiled({ from }).source?.(entity);
}

test('fills in what is left open', () => {
  const { source, ...model } = compiled({ from: 'name' });
  expect(source).toBeTypeOf('function');
  expect(model).toEqual({
    name: 'vector',
    isField: true,
    dimensions: undefined,
    metric: 'cosine',
    mode: 'inline',
    embedder: undefined,
    index: 'hnsw',
    template: 'fields:["name"]',
  });
});

test('keeps what is said', () => {
  const options = { metric: 'euclidean', mode: 'deferred', index: 'exact', template: '2', embedder } as const;
  expect(compiled({ isField: false, from: () => 'x', ...options })).toMatchObject({ isField: false, ...options });
  expect(compiled({ dimensions: 4096 })).toMatchObject({ dimensions: 4096, source: undefined });
});

test('the template tells sources apart as far as they can be seen', () => {
  const templates = ['name', ['name'], ['name', 'tags'], ['tags', 'name']].map((from) => compiled({ from }).template);
  expect(templates).toEqual(['fields:["name"]', 'fields:["name"]', 'fields:["name","tags"]', 'fields:["tags","name"]']);
  expect(compiled({ from: () => 'x' }).template).toBe('1');
  expect(compiled({ dimensions: 3 }).template).toBe('given');
});

test('the text is that of the field, or of those that are set, one per line', () => {
  expect(textOf('name', { name: ' Nori \n' })).toBe(' Nori \n');
  expect(textOf(['name', 'tags', 'sku'], { sku: 'N-1', name: 'Nori', tags: ['sea', 'dry'] })).toBe(
    'Nori\nsea\ndry\nN-1',
  );
  expect(textOf(['name', 'tags', 'sku'], { sku: 'N-1', name: undefined, tags: null })).toBe('N-1');
  expect(textOf(['name', 'tags', 'sku'], { sku: 'N-1', name: ' \n', tags: ['', '\t'] })).toBe('N-1');
  expect(textOf((entity: { sku: string }) => entity.sku, { sku: 'N-1' })).toBe('N-1');
});

test.each<[string, EmbeddingDeclaration['from'], object]>([
  ['a field that is unset', 'name', {}],
  ['a field that is null', 'tags', { tags: null }],
  ['a blank field', 'name', { name: ' \n\u00a0' }],
  ['an empty list', 'tags', { tags: [] }],
  ['blank fields', ['name', 'tags'], { name: '', tags: [' '] }],
  ['a function that makes nothing', () => undefined, {}],
  ['a function that makes null', () => null, {}],
  ['a function that makes a blank', () => ' ', {}],
])('there is no text in %s', (_, from, entity) => {
  expect(textOf(from, entity)).toBeUndefined();
});

test('always: a text is well formed, not blank, and of the lines that are not', () => {
  // 16-bit units as they come, so also halves of a pair.
  const text = fc.oneof(
    fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)),
    fc.constantFrom('', '\n'),
  );
  const ofFields = compiled({ from: ['name', 'tags'] }).source;
  const ofFunction = compiled({ from: ({ name }: { name: string | null }) => name }).source;
  fc.assert(
    fc.property(fc.option(text), fc.array(text), (name, tags) => {
      const lines = [name ?? '', ...tags].filter((line) => line.trim() !== '');
      const made = ofFields?.({ name, tags });
      expect(made).toBe(lines.length === 0 ? undefined : lines.join('\n').toWellFormed());
      expect(ofFunction?.({ name })).toBe(ofFields?.({ name, tags: [] }));
      expect(made?.isWellFormed()).not.toBe(false);
      expect(made?.trim()).not.toBe('');
    }),
  );
});

test.each<[string, EmbeddingDeclaration['from'], object]>([
  ['a number from a function', (() => 7) as never, {}],
  ['a promise from a function', (async () => 'x') as never, {}],
  ['a list from a function', (() => ['x']) as never, {}],
  ['a number in an id without a schema', 'sku', { sku: 7 }],
  ['a number in a field of z.custom', ['name', 'size'], { size: 7 }],
  ['a list with a number', 'tags', { tags: ['x', 7] }],
])('what is no text is refused: %s', (_, from, entity) => {
  expect(() => textOf(from, entity)).toThrow(
    expect.objectContaining({
      code: 'validation.failed',
      message: expect.stringMatching(/^product\.vector: the (function in from made|field \w+ holds) no text\. \w/),
      details: { entity: 'product', issues: [{ path: ['vector'], message: expect.stringMatching(/no text$/) }] },
    }),
  );
});

test('what a function throws passes through', () => {
  const mistake = new TypeError('of the function');
  expect(() =>
    textOf(() => {
      throw mistake;
    }, {}),
  ).toThrow(mistake);
});
