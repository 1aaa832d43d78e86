import { inspect } from 'node:util';
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { APICallError, type EmbeddingModelV2, type EmbeddingModelV3 } from '@ai-sdk/provider';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest';
import { type EmbeddingServer, embeddingServer, reply, vectorOf } from '../../../test/support/embedding-server.ts';
import { NorimakiError } from '../../core/errors.ts';
import { manualClock, seededRandom } from '../../testing/index.ts';
import { type AiSdkEmbeddingModel, type AiSdkOptions, aiSdkEmbedder } from './ai-sdk.ts';

let server: EmbeddingServer;
beforeEach(async () => {
  server = await embeddingServer();
});
afterEach(() => server.close());

const quick = (): AiSdkOptions => ({
  environment: { clock: manualClock(undefined, { autoAdvance: true }), random: seededRandom(1) },
  timeout: '1h',
});

function realModel(apiKey = 'k-1') {
  return createOpenAICompatible({ name: 'sea', baseURL: server.url, apiKey }).embeddingModel('tiny');
}

/** A model by hand, for what the real one does not do. */
function model(parts: Partial<AiSdkEmbeddingModel> = {}): AiSdkEmbeddingModel & { calls: string[][] } {
  const calls: string[][] = [];
  return {
    calls,
    specificationVersion: 'v3',
    provider: 'hand',
    modelId: 'made',
    maxEmbeddingsPerCall: undefined,
    supportsParallelCalls: true,
    async doEmbed({ values }) {
      calls.push(values);
      return { embeddings: values.map(vectorOf) };
    },
    ...parts,
  };
}

const codes = (answers: readonly unknown[]): unknown[] =>
  answers.map((answer) => (answer instanceof NorimakiError ? answer.code : Array.from(answer as Float32Array)));

test('models of the SDK are taken as they are', () => {
  expectTypeOf<EmbeddingModelV3>().toExtend<AiSdkEmbeddingModel>();
  expectTypeOf<EmbeddingModelV2<string>>().toExtend<AiSdkEmbeddingModel>();
  expectTypeOf<ReturnType<typeof realModel>>().toExtend<AiSdkEmbeddingModel>();
  expectTypeOf<EmbeddingModelV2<number>>().not.toExtend<AiSdkEmbeddingModel>();
});

describe('a real model', () => {
  test('says by itself how long its vectors are', async () => {
    const embedder = await aiSdkEmbedder(realModel(), quick());
    expect([embedder.dimensions, embedder.id]).toEqual([2, 'sea.embedding/tiny?d=2']);
    expect(codes(await embedder.embed(['a', 'bb']))).toEqual(['a', 'bb'].map(vectorOf));
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(['Bearer k-1', 'Bearer k-1']);
  });

  test('is not asked where the length is given', async () => {
    await aiSdkEmbedder(realModel(), { ...quick(), dimensions: 2 });
    expect(server.requests).toEqual([]);
  });

  test('gets its options, and they are part of the id', async () => {
    const options = { sea: { dimensions: 2, user: 'u' } };
    const embedder = await aiSdkEmbedder(realModel(), { ...quick(), dimensions: 2, providerOptions: options });
    await embedder.embed(['a']);
    expect(server.requests[0]?.body).toMatchObject({ dimensions: 2, user: 'u' });
    const idWith = async (providerOptions: AiSdkOptions['providerOptions']) =>
      (await aiSdkEmbedder(realModel(), { dimensions: 2, providerOptions })).id;
    expect(await idWith({ sea: { user: 'u', dimensions: 2 } })).toBe(embedder.id);
    expect(await idWith({ sea: { user: 'v', dimensions: 2 } })).not.toBe(embedder.id);
  });

  test('that is busy is waited for, and one that fails is tried again', async () => {
    server.script = (_, response) => {
      const { length } = server.requests;
      if (length === 1) reply(response, 429, {}, { 'retry-after': '9' });
      else if (length === 2) response.destroy();
      else return 'serve';
      return 'handled';
    };
    const clock = manualClock(undefined, { autoAdvance: true });
    const environment = { clock, random: seededRandom(1) };
    const embedder = await aiSdkEmbedder(realModel(), { ...quick(), environment, dimensions: 2 });
    expect(codes(await embedder.embed(['a']))).toEqual([vectorOf('a')]);
    expect(server.requests).toHaveLength(3);
    expect(clock.mono()).toBeGreaterThanOrEqual(9_000);
  });

  test('that refuses one text answers the others', async () => {
    server.script = ({ body }, response) => {
      if (!body.input.includes('bad')) return 'serve';
      reply(response, 400, { error: { message: 'no' } });
      return 'handled';
    };
    const embedder = await aiSdkEmbedder(realModel(), quick());
    expect(codes(await embedder.embed(['a', 'bad', 'c']))).toEqual([vectorOf('a'), 'embedder.rejected', vectorOf('c')]);
  });

  test.each([200, 401, 500])('never shows a text or a key, whatever it says with %d', async (status) => {
    server.script = ({ headers, body }, response) => {
      reply(response, status, { error: { message: `${headers.authorization} ${body.input}` } });
      return 'handled';
    };
    const options = { ...quick(), dimensions: 2, retry: { maxAttempts: 1 } };
    const embedder = await aiSdkEmbedder(realModel('canary'), options);
    const error = await embedder.embed(['canary text']).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: status === 500 ? 'embedder.unavailable' : 'embedder.rejected' });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('canary');
  });

  test('is hung up on when the caller gives up', async () => {
    let isClosed = false;
    const controller = new AbortController();
    server.script = (_, response) => {
      response.on('close', () => {
        isClosed = true;
      });
      controller.abort();
      return 'handled';
    };
    const embedder = await aiSdkEmbedder(realModel(), { ...quick(), dimensions: 2 });
    await expect(embedder.embed(['a'], { signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' });
    while (!isClosed) await new Promise((resolve) => setTimeout(resolve, 2));
  });
});

describe('a model by hand', () => {
  test('is called within its limits, promised or not', async () => {
    for (const most of [2, Promise.resolve(2)]) {
      const made = model({ maxEmbeddingsPerCall: most });
      const embedder = await aiSdkEmbedder(made, { ...quick(), dimensions: 2 });
      expect(codes(await embedder.embed(['a', 'b', 'c', 'd', 'e']))).toEqual(['a', 'b', 'c', 'd', 'e'].map(vectorOf));
      expect(made.calls).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
    }
  });

  test.each([
    [false, 1],
    [Promise.resolve(false), 1],
    [true, 4],
  ])('is called at the same time only if it can', async (supportsParallelCalls, expected) => {
    let [open, most] = [0, 0];
    const made = model({
      maxEmbeddingsPerCall: 1,
      supportsParallelCalls,
      async doEmbed({ values }) {
        most = Math.max(most, ++open);
        await new Promise((resolve) => setImmediate(resolve));
        open--;
        return { embeddings: values.map(vectorOf) };
      },
    });
    const embedder = await aiSdkEmbedder(made, { ...quick(), dimensions: 2 });
    await embedder.embed(Array.from({ length: 8 }, (_, i) => `text ${i}`));
    expect(most).toBe(expected);
  });

  const named = (name: string): Error => Object.assign(new Error('canary'), { name });
  const call = (isRetryable: boolean, statusCode?: number): Error =>
    new APICallError({
      message: 'canary',
      url: 'http://canary',
      requestBodyValues: {},
      isRetryable,
      ...(statusCode === undefined ? {} : { statusCode }),
    });
  test.each([
    ['a lost connection', call(true), 'embedder.unavailable', 3],
    ['no call at all', call(false), 'embedder.rejected', 1],
    ['a conflict that the SDK would try again', call(true, 409), 'embedder.unavailable', 3],
    ['a conflict that it would not', call(false, 409), 'embedder.rejected', 1],
    ['a missing key', named('AI_LoadAPIKeyError'), 'embedder.rejected', 1],
    ['anything else', new TypeError('terminated'), 'embedder.unavailable', 3],
  ])('that throws for %s', async (_, error, code, calls) => {
    let called = 0;
    const made = model({
      doEmbed() {
        called++;
        throw error;
      },
    });
    const embedder = await aiSdkEmbedder(made, { ...quick(), dimensions: 2, retry: { maxAttempts: 3 } });
    const thrown = await embedder.embed(['a']).catch((reason: unknown) => reason);
    expect(thrown).toMatchObject({ code });
    expect(inspect(thrown)).not.toContain('canary');
    expect(called).toBe(calls);
  });

  test('that cannot be asked for its length says so', async () => {
    const made = model({
      doEmbed() {
        throw call(false, 401);
      },
    });
    await expect(aiSdkEmbedder(made, quick())).rejects.toMatchObject({ code: 'embedder.rejected' });
    const nothing = model({ doEmbed: async () => ({ embeddings: [] }) });
    await expect(aiSdkEmbedder(nothing, quick())).rejects.toMatchObject({ code: 'argument.invalid' });
  });
});
