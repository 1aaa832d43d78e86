import { getEventListeners } from 'node:events';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type EmbeddingServer,
  embeddingServer,
  reply,
  serve,
  vectorOf,
} from '../../../test/support/embedding-server.ts';
import type { Clock } from '../../core/clock.ts';
import type { Embedded, Embedder } from '../../core/embedder.ts';
import { NorimakiError } from '../../core/errors.ts';
import { systemEnvironment } from '../../core/system.ts';
import { manualClock, seededRandom } from '../../testing/index.ts';
import { type OpenAiCompatibleOptions, openAiCompatible } from './openai-compatible.ts';

let server: EmbeddingServer;
beforeEach(async () => {
  server = await embeddingServer();
});
afterEach(() => server.close());

/** Time jumps to the next wait, so that no test waits. */
function quick() {
  return { clock: manualClock(undefined, { autoAdvance: true }), random: seededRandom(1) };
}

function embedder(options: Partial<OpenAiCompatibleOptions> = {}): Embedder {
  const base = { url: server.url, model: 'tiny', dimensions: 2, timeout: '1h', environment: quick() } as const;
  return openAiCompatible({ ...base, ...options });
}

const plain = (answers: readonly Embedded[]): unknown[] =>
  answers.map((answer) => (answer instanceof NorimakiError ? answer.code : Array.from(answer)));
const failure = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => {
      throw new Error('It did not fail.');
    },
    (error: unknown) => error,
  );
const sizes = (): number[] => server.requests.map(({ body }) => body.input.length);

describe('what is sent', () => {
  test('is the model, the texts and the key, to embeddings below the url', async () => {
    await embedder({ url: `${server.url}/?version=7`, apiKey: 'k-1', headers: { 'x-team': 'sea' } }).embed(['a']);
    const [request] = server.requests;
    expect(request?.path).toBe('/v1/embeddings?version=7');
    expect(request?.body).toEqual({ model: 'tiny', input: ['a'], encoding_format: 'float' });
    expect(request?.headers).toMatchObject({ authorization: 'Bearer k-1', 'x-team': 'sea' });
  });

  test('asks for shorter vectors where told to', async () => {
    await embedder({ shorten: true }).embed(['a']);
    expect(server.requests[0]?.body.dimensions).toBe(2);
  });

  test('is nothing for no texts', async () => {
    expect(await embedder().embed([])).toEqual([]);
    expect(server.requests).toEqual([]);
  });

  test('is cut by count and by characters', async () => {
    const texts = ['a'.repeat(60), 'b'.repeat(50), 'c', 'd', 'e', 'f'.repeat(300), 'g'];
    const answers = await embedder({ batch: { texts: 3, characters: 100 }, concurrency: 1 }).embed(texts);
    expect(sizes()).toEqual([1, 3, 1, 1, 1]);
    expect(plain(answers)).toEqual(texts.map(vectorOf));
  });

  test('is as many calls at a time as allowed, over all callers', async () => {
    let [open, most] = [0, 0];
    server.script = (request, response) => {
      open++;
      most = Math.max(most, open);
      setTimeout(() => {
        open--;
        serve(request, response);
      }, 20);
      return 'handled';
    };
    const one = embedder({ batch: { texts: 1 }, concurrency: 3 });
    const texts = Array.from({ length: 20 }, (_, i) => `text ${i}`);
    const both = await Promise.all([one.embed(texts), one.embed(texts)]);
    expect(both.map(plain)).toEqual([texts.map(vectorOf), texts.map(vectorOf)]);
    expect(most).toBe(3);
  });
});

describe('what comes back', () => {
  test('is put in the order of the texts', async () => {
    server.script = ({ body }, response) => {
      const data = body.input.map((text, index) => ({ index, embedding: vectorOf(text) })).reverse();
      reply(response, 200, { data });
      return 'handled';
    };
    expect(plain(await embedder().embed(['a', 'bb', 'ccc']))).toEqual(['a', 'bb', 'ccc'].map(vectorOf));
  });

  test('may be base64, and without an index', async () => {
    server.script = ({ body }, response) => {
      const data = body.input.map((text) => ({
        embedding: Buffer.from(Float32Array.from(vectorOf(text)).buffer).toString('base64'),
      }));
      reply(response, 200, { data });
      return 'handled';
    };
    expect(plain(await embedder().embed(['a', 'bb']))).toEqual(['a', 'bb'].map(vectorOf));
  });

  const item = (index: number, embedding: unknown): unknown => ({ index, embedding });
  test.each([
    ['a page', '<html>welcome</html>'],
    ['half an answer', '{"data":[{"ind'],
    ['null', 'null'],
    ['too few', { data: [item(0, [1, 2])] }],
    ['too many', { data: [item(0, [1, 2]), item(1, [1, 2]), item(2, [1, 2])] }],
    ['one twice', { data: [item(0, [1, 2]), item(0, [1, 2])] }],
    ['an index out of range', { data: [item(0, [1, 2]), item(2, [1, 2])] }],
    ['an index that is none', { data: [item(0, [1, 2]), item(0.5, [1, 2])] }],
    ['no vectors', { data: [{ index: 0 }, { index: 1 }] }],
    ['broken base64', { data: [item(0, 'AAAA'), item(1, 'AAAA')] }],
    ['another length', { data: [item(0, [1, 2, 3]), item(1, [1, 2, 3])] }],
    ['words', { data: [item(0, ['1', '2']), item(1, ['1', '2'])] }],
  ])('is refused if it is %s, and not asked for again', async (_, body) => {
    server.script = (_request, response) => {
      reply(response, 200, body);
      return 'handled';
    };
    expect(await failure(embedder().embed(['a', 'b']))).toMatchObject({ code: 'embedder.rejected' });
    expect(server.requests).toHaveLength(1);
  });

  test.each([
    ['a number beyond 32 bits', [1e39, 1]],
    ['nothing where a number should be', [null, 1]],
    ['zeros', [0, 0]],
  ])('is refused for the one text that has %s', async (_, embedding) => {
    server.script = (_request, response) => {
      reply(response, 200, { data: [item(0, [1, 2]), item(1, embedding)] });
      return 'handled';
    };
    expect(plain(await embedder().embed(['a', 'b']))).toEqual([[1, 2], 'embedder.rejected']);
  });
});

describe('a provider that is busy', () => {
  /** Busy for the first `times` calls. */
  function busy(times: number, status: number, headers: Record<string, string>): void {
    server.script = (_, response) => {
      if (server.requests.length > times) return 'serve';
      reply(response, status, { error: { message: 'slow down' } }, headers);
      return 'handled';
    };
  }

  test.each([
    ['seconds', { 'retry-after': '7' }, 7_000],
    ['milliseconds', { 'retry-after-ms': '1500', 'retry-after': '60' }, 1_500],
    ['a date', { 'retry-after': 'Wed, 01 Jan 2025 00:00:09 GMT' }, 9_000],
  ])('is waited for as long as it says in %s', async (_, headers, expected) => {
    busy(1, 429, headers);
    const environment = quick();
    expect(plain(await embedder({ environment }).embed(['a']))).toEqual([vectorOf('a')]);
    expect(environment.clock.mono()).toBeGreaterThanOrEqual(expected);
    // At most the first wait on top.
    expect(environment.clock.mono()).toBeLessThan(expected + 500);
  });

  test('is no failure, however often', async () => {
    busy(20, 503, { 'retry-after': '1' });
    expect(plain(await embedder({ retry: { maxAttempts: 2 } }).embed(['a']))).toEqual([vectorOf('a')]);
    expect(server.requests).toHaveLength(21);
  });

  test('is given up at the deadline, and says when to come back', async () => {
    busy(Number.POSITIVE_INFINITY, 429, { 'retry-after': '50' });
    const environment = quick();
    const error = await failure(embedder({ environment, retry: { deadline: '2m' } }).embed(['a']));
    expect(error).toMatchObject({ code: 'embedder.unavailable', retryable: true, details: { retryAfter: 50_000 } });
    expect(server.requests).toHaveLength(3);
    expect(environment.clock.mono()).toBeLessThan(120_000);
  });

  test('is left in peace by the other batches too', async () => {
    const clock = manualClock();
    const waits: number[] = [];
    const sleep: Clock['sleep'] = (ms, options) => {
      // Those in the background are timeouts.
      if (!options?.background) waits.push(ms);
      return clock.sleep(ms, options);
    };
    const environment = { clock: { now: () => clock.now(), mono: () => clock.mono(), sleep }, random: seededRandom(1) };
    busy(1, 429, { 'retry-after': '10' });
    const one = embedder({ environment, batch: { texts: 1 }, concurrency: 2 });
    const first = one.embed(['a']);
    await until(() => waits.length === 1);
    const second = one.embed(['b']);
    await clock.advance(9_999);
    // A call would be here by now.
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(server.requests).toHaveLength(1);
    await clock.advance(1_000);
    expect(plain([...(await first), ...(await second)])).toEqual([vectorOf('a'), vectorOf('b')]);
  });

  test('is not waited for by who gives up', async () => {
    busy(1, 429, { 'retry-after': '60' });
    const controller = new AbortController();
    const call = failure(embedder({ environment: systemEnvironment }).embed(['a'], { signal: controller.signal }));
    await until(() => server.requests.length === 1);
    controller.abort();
    expect(await call).toMatchObject({ code: 'aborted' });
  });
});

describe('a provider that fails', () => {
  test('is tried again', async () => {
    server.script = (_, response) => {
      const { length } = server.requests;
      if (length === 1) response.destroy();
      else if (length === 2) reply(response, 500, 'oops');
      else if (length === 3) {
        // Cut off in the middle of the answer.
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{"data":[');
        setTimeout(() => response.destroy(), 20);
      } else return 'serve';
      return 'handled';
    };
    expect(plain(await embedder().embed(['a']))).toEqual([vectorOf('a')]);
    expect(server.requests).toHaveLength(4);
  });

  test('is given up after so many failures', async () => {
    server.script = (_, response) => {
      reply(response, 502, 'bad gateway');
      return 'handled';
    };
    const error = await failure(embedder({ retry: { maxAttempts: 3 } }).embed(['a', 'b']));
    expect(error).toMatchObject({ code: 'embedder.unavailable', message: expect.stringContaining('502') });
    expect(server.requests).toHaveLength(3);
  });

  test('is given up when nobody listens', async () => {
    const one = embedder({ retry: { maxAttempts: 2 } });
    await server.close();
    expect(await failure(one.embed(['a']))).toMatchObject({
      code: 'embedder.unavailable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    server = await embeddingServer();
  });

  test('and does not answer in time is hung up on', async () => {
    let closed = 0;
    server.script = (_, response) => {
      response.on('close', () => closed++);
      return 'handled';
    };
    const options = { environment: systemEnvironment, timeout: 30, retry: { maxAttempts: 2, base: 1 } } as const;
    const error = await failure(embedder(options).embed(['a']));
    expect(error).toMatchObject({ code: 'embedder.unavailable', message: expect.stringContaining('30 ms') });
    await until(() => closed === 2);
  });

  test('keeps what other batches got, and sends no more', async () => {
    server.script = ({ body }, response) => {
      if (body.input[0] !== 'b') return 'serve';
      reply(response, 500, 'oops');
      return 'handled';
    };
    const one = embedder({ batch: { texts: 1 }, concurrency: 1, retry: { maxAttempts: 1 } });
    expect(plain(await one.embed(['a', 'b', 'c', 'd']))).toEqual([
      vectorOf('a'),
      ...Array<string>(3).fill('embedder.unavailable'),
    ]);
    expect(server.requests).toHaveLength(2);
  });

  test('lets go of the connection when the caller gives up', async () => {
    let isClosed = false;
    server.script = (_, response) => {
      response.on('close', () => {
        isClosed = true;
      });
      return 'handled';
    };
    const controller = new AbortController();
    const call = failure(embedder().embed(['a'], { signal: controller.signal }));
    await until(() => server.requests.length === 1);
    controller.abort();
    expect(await call).toMatchObject({ code: 'aborted' });
    await until(() => isClosed);
    expect(server.requests).toHaveLength(1);
  });

  test.each([301, 307, 401, 403, 404, 405])('for good with %d is not asked again', async (status) => {
    server.script = (_, response) => {
      reply(response, status, {}, { location: `${server.url}/elsewhere` });
      return 'handled';
    };
    const one = embedder({ batch: { texts: 1 }, concurrency: 1 });
    expect(await failure(one.embed(['a', 'b']))).toMatchObject({
      code: 'embedder.rejected',
      message: expect.stringContaining(String(status)),
    });
    expect(server.requests).toHaveLength(1);
  });
});

describe('a text that is not taken', () => {
  /** Refuses every batch with a text that begins with "bad". */
  function refuseBad(status = 400): void {
    server.script = ({ body }, response) => {
      if (!body.input.some((text) => text.startsWith('bad'))) return 'serve';
      reply(response, status, { error: { message: `no: ${body.input}`, code: 'context_length_exceeded' } });
      return 'handled';
    };
  }

  test.each([400, 413, 422])('with %d gets its own error, and the others their vectors', async (status) => {
    refuseBad(status);
    const answers = await embedder().embed(['a', 'bad canary', 'c']);
    expect(plain(answers)).toEqual([vectorOf('a'), 'embedder.rejected', vectorOf('c')]);
    expect(inspect(answers)).toContain('context_length_exceeded');
    expect(inspect(answers)).not.toContain('canary');
  });

  test('alone is an answer, not a failure', async () => {
    refuseBad();
    expect(plain(await embedder().embed(['bad']))).toEqual(['embedder.rejected']);
  });

  test('is found exactly, wherever it stands and however many there are', async () => {
    refuseBad();
    const isBad = fc.array(fc.boolean(), { minLength: 1, maxLength: 24 });
    await fc.assert(
      fc.asyncProperty(isBad, fc.integer({ min: 1, max: 12 }), async (bad, most) => {
        const texts = bad.map((one, i) => `${one ? 'bad' : 'good'} ${i}`);
        const answers = await embedder({ batch: { texts: most }, concurrency: 2 }).embed(texts);
        const expected = texts.map((text, i) => (bad[i] ? 'embedder.rejected' : vectorOf(text)));
        expect(plain(answers)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });

  test('is not looked for where every text is refused', async () => {
    server.script = (_, response) => {
      reply(response, 400, { error: { message: 'unknown option encoding_format' } });
      return 'handled';
    };
    const texts = Array.from({ length: 200 }, (_, i) => `text ${i}`);
    expect(await failure(embedder().embed(texts))).toMatchObject({
      code: 'embedder.rejected',
      message: expect.stringContaining('every text'),
    });
    expect(server.requests).toHaveLength(2);
  });
});

describe('secrets', () => {
  const SECRET = 'canary_of_the_coal_mine';

  test.each([200, 400, 401, 404, 429, 500])('are never shown, whatever a server says with %d', async (status) => {
    server.script = ({ body, headers }, response) => {
      const said = `${headers.authorization} ${headers['x-key']} ${body.input}`;
      reply(response, status, { error: { message: said, code: SECRET, type: 'canary_of' }, said });
      return 'handled';
    };
    const one = embedder({
      apiKey: SECRET,
      headers: { 'x-key': `${SECRET}_2` },
      retry: { maxAttempts: 1, deadline: 1 },
    });
    const answers = await one.embed(['canary text']).catch((error: unknown) => error);
    expect(inspect(answers, { depth: 10, showHidden: true })).toMatch(/Error/);
    expect(inspect([answers, one], { depth: 10, showHidden: true })).not.toContain('canary');
    expect(one.id).not.toContain('canary');
  });

  test('that no header can hold, and in the url, are refused without being named', () => {
    for (const options of [
      { apiKey: 'canary\n1' },
      { url: 'http://user:canary@127.0.0.1/v1' },
      { url: 'canary://x' },
    ]) {
      let error: unknown;
      try {
        embedder(options);
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toMatchObject({ code: 'argument.invalid' });
      expect(inspect(error).replace(/ {4}at .*/g, '')).not.toContain('canary');
    }
  });
});

test('a call leaves nothing behind on the signal of its caller', async () => {
  const { signal } = new AbortController();
  await embedder({ batch: { texts: 1 }, concurrency: 1 }).embed(['a', 'b', 'c'], { signal });
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('the id names host, model and length, or is what you say', () => {
  expect(openAiCompatible({ url: 'https://api.test/v1', model: 'm', dimensions: 8 }).id).toBe('api.test/m?d=8');
  expect(embedder({ id: 'mine@2' }).id).toBe('mine@2');
});

test.each([
  { dimensions: 0 },
  { dimensions: 5000 },
  { batch: { texts: 0 } },
  { batch: { characters: 1.5 } },
  { concurrency: 0 },
  { timeout: -1 },
  { retry: { maxAttempts: 0 } },
  { url: 'nowhere' },
])('%o is refused', (options) => {
  expect(() => embedder(options)).toThrow(expect.objectContaining({ code: 'argument.invalid' }));
});

/** Real I/O is under way: looks again until it happened. */
async function until(happened: () => boolean): Promise<void> {
  while (!happened()) await new Promise((resolve) => setTimeout(resolve, 2));
}
