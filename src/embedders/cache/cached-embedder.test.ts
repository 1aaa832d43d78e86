import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { orAborted } from '../../core/abort.ts';
import type { Embedded, Embedder } from '../../core/embedder.ts';
import { NorimakiError } from '../../core/errors.ts';
import { systemEnvironment } from '../../core/system.ts';
import { memory } from '../../stores/memory/index.ts';
import { embeddingClient } from '../client.ts';
import type { EmbeddingCacheStore } from './cache-store.ts';
import { type CacheOptions, cachedEmbedder } from './cached-embedder.ts';
import { storeCache } from './store-cache.ts';

const vectorOf = (text: string): Float32Array => Float32Array.of(text.length + 1, text.charCodeAt(0));
const plain = (answers: readonly Embedded[]): unknown[] =>
  answers.map((answer) => (answer instanceof NorimakiError ? answer.code : Array.from(answer)));
const vectors = (...texts: string[]): unknown[] => texts.map((text) => Array.from(vectorOf(text)));

/** An embedder that answers when it is told to. */
function slow(answer: (text: string) => Embedded = vectorOf) {
  const calls: { readonly texts: readonly string[]; readonly signal: AbortSignal; go(error?: Error): void }[] = [];
  const embedder: Embedder = {
    id: 'slow@1',
    dimensions: 2,
    embed(texts, { signal = new AbortController().signal } = {}) {
      const work = new Promise<Embedded[]>((resolve, reject) => {
        const go = (error?: Error): void => (error === undefined ? resolve(texts.map(answer)) : reject(error));
        calls.push({ texts, signal, go });
      });
      return orAborted(work, signal);
    },
  };
  return { embedder, calls };
}

function quick(answer?: (text: string) => Embedded) {
  const { embedder, calls } = slow(answer);
  const embed: Embedder['embed'] = (texts, options) => {
    const answers = embedder.embed(texts, options);
    calls.at(-1)?.go();
    return answers;
  };
  return { embedder: { ...embedder, embed }, sent: () => calls.map(({ texts }) => texts) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const down = new NorimakiError('embedder.unavailable', 'Down.', { embedder: 'slow@1' });

describe('a text', () => {
  test('that is remembered is not paid for again', async () => {
    const { embedder, sent } = quick();
    const cached = cachedEmbedder(embedder);
    expect(plain(await cached.embed(['a', 'b', 'a']))).toEqual(vectors('a', 'b', 'a'));
    expect(plain(await cached.embed(['b', 'c']))).toEqual(vectors('b', 'c'));
    expect(sent()).toEqual([['a', 'b'], ['c']]);
    expect(cached.counts).toEqual({ requested: 5, called: 3, calls: 2, saved: 2, failed: 0, storeFailed: 0 });
  });

  test('is forgotten when memory is short, the longest unused first', async () => {
    const { embedder, sent } = quick();
    // Two entries fit.
    const client = embeddingClient(cachedEmbedder(embedder, { capacity: 600 }));
    for (const text of ['a', 'b', 'a', 'c', 'a', 'b']) await client.embed(text);
    expect(sent()).toEqual([['a'], ['b'], ['c'], ['b']]);
  });

  test('is not remembered with a capacity of 0, and calls are shared all the same', async () => {
    const { embedder, sent } = quick();
    const cached = cachedEmbedder(embedder, { capacity: 0 });
    await cached.embed(['a', 'a']);
    await cached.embed(['a']);
    expect(sent()).toEqual([['a'], ['a']]);
  });

  test('is told apart from every other, even where it is no Unicode', async () => {
    const { embedder, sent } = quick();
    const texts = ['\ud800', '\ud801', '\ufffd', 'é', 'e\u0301', '"', '","'];
    expect(plain(await cachedEmbedder(embedder).embed(texts))).toEqual(vectors(...texts));
    expect(sent()).toEqual([texts]);
  });

  test('has a vector of its own for each who asks', async () => {
    const client = embeddingClient(quick().embedder);
    const [first, second] = await Promise.all([client.embed('a'), client.embed('a')]);
    first.fill(0);
    second.fill(0);
    const third = await client.embed('a');
    third.fill(0);
    expect(await client.embed('a')).toEqual(vectorOf('a'));
  });
});

describe('requests', () => {
  test('of one turn travel together, in bounds', async () => {
    const { embedder, sent } = quick();
    const client = embeddingClient(cachedEmbedder(embedder, { maxTexts: 2 }));
    const later = Promise.resolve().then(() => client.embed('c'));
    await Promise.all([client.embed('a'), client.embed('b'), client.embed('a'), later]);
    expect(sent()).toEqual([['a', 'b'], ['c']]);
  });

  test('for a text that is under way wait for it', async () => {
    const { embedder, calls } = slow();
    const client = embeddingClient(embedder);
    const first = client.embed('a');
    await turn();
    const second = client.embed('a');
    await turn();
    calls[0]?.go();
    expect(await Promise.all([first, second])).toEqual([vectorOf('a'), vectorOf('a')]);
    expect(calls).toHaveLength(1);
  });

  test('share one call for each distinct text, however they come', async () => {
    const word = fc.constantFrom('a', 'b', 'c', 'd');
    const step = fc.record({ texts: fc.array(word, { maxLength: 4 }), rest: fc.boolean(), answers: fc.nat(3) });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        const { embedder, calls } = slow();
        const cached = cachedEmbedder(embedder);
        const results: Promise<unknown>[] = [];
        for (const { texts, rest, answers } of steps) {
          results.push(cached.embed(texts).then((got) => expect(plain(got)).toEqual(vectors(...texts))));
          if (rest) await turn();
          calls[answers]?.go();
        }
        await turn();
        for (const { go } of calls) go();
        await Promise.all(results);
        const sent = calls.flatMap(({ texts }) => texts);
        const asked = steps.flatMap(({ texts }) => texts);
        expect(sent.toSorted()).toEqual([...new Set(asked)].sort());
        expect(cached.counts).toMatchObject({
          requested: asked.length,
          called: sent.length,
          saved: asked.length - sent.length,
        });
      }),
      { numRuns: 200 },
    );
  });
});

describe('who gives up', () => {
  test('leaves the others alone', async () => {
    const { embedder, calls } = slow();
    const client = embeddingClient(embedder);
    const controller = new AbortController();
    const gone = client.embed('a', { signal: controller.signal });
    const stays = client.embed('a');
    await turn();
    controller.abort();
    await expect(gone).rejects.toMatchObject({ code: 'aborted' });
    expect(calls[0]?.signal.aborted).toBe(false);
    calls[0]?.go();
    expect(await stays).toEqual(vectorOf('a'));
  });

  test('last ends the call, and who comes next gets a new one', async () => {
    const { embedder, calls } = slow();
    const client = embeddingClient(embedder);
    const controller = new AbortController();
    const gone = [client.embed('a', { signal: controller.signal }), client.embed('b', { signal: controller.signal })];
    await turn();
    controller.abort();
    await Promise.allSettled(gone);
    expect(calls[0]?.signal.aborted).toBe(true);
    const next = client.embed('b');
    await turn();
    calls[1]?.go();
    expect(await next).toEqual(vectorOf('b'));
    expect(client.counts.failed).toBe(0);
  });

  test('one after the other leaves nothing behind, not even with an embedder that does not listen', async () => {
    const calls: (readonly string[])[] = [];
    const deaf: Embedder = {
      id: 'deaf@1',
      dimensions: 2,
      embed(texts) {
        calls.push(texts);
        return calls.length === 1 ? new Promise(() => {}) : Promise.resolve(texts.map(vectorOf));
      },
    };
    const client = embeddingClient(deaf);
    const controllers = [new AbortController(), new AbortController()];
    const gone = controllers.map(({ signal }, i) => client.embed(i === 0 ? 'a' : 'b', { signal }));
    await turn();
    for (const [i, controller] of controllers.entries()) {
      controller.abort();
      await expect(gone[i]).rejects.toMatchObject({ code: 'aborted' });
    }
    expect(await Promise.all([client.embed('a'), client.embed('b')])).toEqual([vectorOf('a'), vectorOf('b')]);
    expect(calls).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });

  test('within its turn does not spoil it for who comes after', async () => {
    const { embedder, sent } = quick();
    const client = embeddingClient(embedder);
    const controller = new AbortController();
    const gone = client.embed('a', { signal: controller.signal });
    controller.abort();
    // Settles in the same turn.
    await gone.catch(() => {});
    expect(await client.embed('b')).toEqual(vectorOf('b'));
    expect(sent()).toEqual([['b']]);
  });

  test('before the call is not sent, and does not spoil the turn', async () => {
    const { embedder, sent } = quick();
    const client = embeddingClient(embedder);
    const controller = new AbortController();
    const gone = client.embed('a', { signal: controller.signal });
    controller.abort();
    const stays = client.embed('b');
    await expect(gone).rejects.toMatchObject({ code: 'aborted' });
    expect(await stays).toEqual(vectorOf('b'));
    expect(sent()).toEqual([['b']]);
    await expect(client.embed('a', { signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' });
    await expect(cachedEmbedder(embedder).embed(['a'], { signal: controller.signal })).rejects.toMatchObject({
      code: 'aborted',
    });
  });

  test('never keeps others from their vectors, whoever it is and whenever', async () => {
    const ask = fc.record({ text: fc.constantFrom('a', 'b', 'c'), rest: fc.boolean(), leaves: fc.option(fc.nat(6)) });
    await fc.assert(
      fc.asyncProperty(fc.array(ask, { maxLength: 12 }), fc.boolean(), async (asks, hasStore) => {
        const { embedder, sent } = quick();
        const store: EmbeddingCacheStore = {
          get: (keys) => turn().then(() => keys.map(() => undefined)),
          set: turn,
        };
        const client = embeddingClient(cachedEmbedder(embedder, hasStore ? { store } : {}));
        const controllers = asks.map(() => new AbortController());
        const results = asks.map(async () => {});
        for (const [i, { text, rest }] of asks.entries()) {
          results[i] = client.embed(text, { signal: controllers[i]?.signal }).then((vector) => {
            expect(vector).toEqual(vectorOf(text));
          });
          results[i]?.catch(() => {});
          if (rest) await turn();
          for (const [j, { leaves }] of asks.entries()) if (leaves === i) controllers[j]?.abort();
        }
        const ended = await Promise.allSettled(results);
        for (const [i, { status }] of ended.entries())
          if (!controllers[i]?.signal.aborted) expect(status).toBe('fulfilled');
        expect(sent().length).toBeLessThanOrEqual(asks.length);
      }),
      { numRuns: 300 },
    );
  });
});

describe('what failed', () => {
  test('is told to all who waited, and tried again by the next', async () => {
    const { embedder, calls } = slow();
    const client = embeddingClient(embedder);
    const both = Promise.allSettled([client.embed('a'), client.embed('b'), client.embed('a')]);
    await turn();
    calls[0]?.go(down);
    expect(await both).toMatchObject([{ reason: down }, { reason: down }, { reason: down }]);
    const next = client.embed('a');
    await turn();
    calls[1]?.go();
    expect(await next).toEqual(vectorOf('a'));
    expect(client.counts).toMatchObject({ requested: 4, called: 3, saved: 0, failed: 2 });
  });

  test('for one text is told to who asked for it', async () => {
    const refused = new NorimakiError('embedder.rejected', 'No.', { embedder: 'slow@1' });
    const cached = cachedEmbedder(quick((text) => (text === 'bad' ? refused : vectorOf(text))).embedder);
    expect(plain(await cached.embed(['a', 'bad', 'c']))).toEqual([
      ...vectors('a'),
      'embedder.rejected',
      ...vectors('c'),
    ]);
    await expect(embeddingClient(cached).embed('bad')).rejects.toBe(refused);
    expect(cached.counts).toMatchObject({ called: 4, failed: 2 });
  });

  test('in a way that no embedder should is unavailable, with its cause', async () => {
    const { embedder, calls } = slow();
    const call = embeddingClient(embedder).embed('a');
    await turn();
    const cause = new TypeError('x is not a function');
    calls[0]?.go(cause);
    await expect(call).rejects.toMatchObject({ code: 'embedder.unavailable', cause });
  });

  test.each([
    ['too long', [1, 2, 3]],
    ['too short', [1]],
    ['not a number', [1, Number.NaN]],
    ['infinite', [1, Number.POSITIVE_INFINITY]],
    ['infinite in 32 bits', [1, 1e39]],
    ['zeros', [0, 0]],
    ['words', ['1', '2']],
    ['nothing', undefined],
  ])('to be a vector, because it is %s, is refused and not remembered', async (_, answer) => {
    let calls = 0;
    // What an embedder without types may do.
    const embed = async (texts: readonly string[]) => (calls++ === 0 ? texts.map(() => answer) : texts.map(vectorOf));
    const client = embeddingClient({ id: 'odd', dimensions: 2, embed: embed as Embedder['embed'] });
    await expect(client.embed('a')).rejects.toMatchObject({ code: 'embedder.rejected' });
    expect(await client.embed('a')).toEqual(vectorOf('a'));
  });

  test('to answer each text is refused', async () => {
    const client = embeddingClient({ id: 'odd', dimensions: 2, embed: async () => [] });
    await expect(client.embed('a')).rejects.toMatchObject({ code: 'embedder.rejected' });
  });
});

describe('a durable cache', () => {
  const over = (store: EmbeddingCacheStore, options: CacheOptions = {}) => {
    const { embedder, sent } = quick();
    return { cached: cachedEmbedder(embedder, { store, ...options }), sent };
  };

  test('remembers for the next process, and what it remembers is free', async () => {
    const store = storeCache(await memory().openStore(systemEnvironment));
    await over(store).cached.embed(['a', 'b']);
    const next = over(store);
    expect(plain(await next.cached.embed(['a', 'c', 'b']))).toEqual(vectors('a', 'c', 'b'));
    expect(next.sent()).toEqual([['c']]);
    expect(next.cached.counts).toMatchObject({ requested: 3, called: 1, saved: 2 });
  });

  test('is not shared by embedders of another id', async () => {
    const store = storeCache(await memory().openStore(systemEnvironment));
    await over(store).cached.embed(['a']);
    const { embedder, sent } = quick();
    await cachedEmbedder({ ...embedder, id: 'slow@2' }, { store }).embed(['a']);
    expect(sent()).toEqual([['a']]);
  });

  test('is asked once for all texts of a turn', async () => {
    const inner = storeCache(await memory().openStore(systemEnvironment));
    const asked: number[] = [];
    const client = embeddingClient(
      over({
        ...inner,
        get(keys) {
          asked.push(keys.length);
          return inner.get(keys);
        },
      }).cached,
    );
    await Promise.all(['a', 'b', 'c', 'a'].map((text) => client.embed(text)));
    expect(asked).toEqual([3]);
  });

  test('that fails costs a call and nothing else', async () => {
    const fail = async (): Promise<never> => {
      throw new Error('disk');
    };
    const { cached } = over({ get: fail, set: fail });
    expect(plain(await cached.embed(['a', 'b']))).toEqual(vectors('a', 'b'));
    expect(cached.counts).toMatchObject({ called: 2, failed: 0, storeFailed: 2 });
  });

  test.each([
    ['too few', []],
    ['another length', [Float32Array.of(1)]],
    ['zeros', [Float32Array.of(0, 0)]],
    ['numbers that are none', [Float32Array.of(Number.NaN, 1)]],
  ])('that gives %s counts as empty', async (_, given) => {
    const { cached } = over({ get: async () => given, set: async () => {} });
    expect(plain(await cached.embed(['a']))).toEqual(vectors('a'));
    expect(cached.counts).toMatchObject({ called: 1, saved: 0 });
  });
});

test('a client goes through the cache that is there', async () => {
  const { embedder, sent } = quick();
  const cached = cachedEmbedder(embedder);
  await embeddingClient(cached).embed('a');
  const client = embeddingClient(cached);
  await client.embed('a');
  expect(client.embedder).toBe(cached);
  expect(client.counts).toEqual(cached.counts);
  expect(client.counts.requested).toBe(2);
  expect(sent()).toEqual([['a']]);
});

test.each([{ capacity: -1 }, { capacity: 0.5 }, { maxTexts: 0 }])('%o is refused', (options) => {
  expect(() => cachedEmbedder(quick().embedder, options)).toThrow(
    expect.objectContaining({ code: 'argument.invalid' }),
  );
});
