import { once } from 'node:events';
import { MessageChannel } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { makeGate } from '../native-gate.ts';
import type { Answer, Message } from '../protocol.ts';
import { serve } from './serve.ts';

test('calls are answered by their number, also those that fail or that nobody waits for any more', async () => {
  const { port1, port2 } = new MessageChannel();
  let ended = false;
  serve(port2, { usearch: undefined, gate: makeGate() }, () => {
    ended = true;
    port2.close();
  });
  const answers: Answer[] = [];
  port1.on('message', (answer: Answer) => answers.push(answer));
  const options = { dimensions: 1, metric: 'euclidean', type: 'exact' } as const;
  const vectors = Float32Array.from({ length: 5000 }, (_, i) => i);
  const query = Float32Array.of(2.25);
  const messages: Message[] = [
    { name: 'open', id: 1, space: 7, ask: { options } },
    // So many that it takes turns, and what follows arrives while it waits for one.
    { name: 'add', id: 2, space: 7, ask: { labels: Float64Array.from(vectors), vectors } },
    { name: 'search', id: 3, space: 7, ask: { query, k: 1, spare: 1 } },
    { name: 'search', id: 4, space: 7, ask: { query, k: 1, spare: 1 } },
    { cancel: 4 },
    { name: 'stats', id: 5, space: 8, ask: {} },
    { name: 'close', id: 6, space: 7, ask: {} },
    { name: 'stats', id: 7, space: 7, ask: {} },
  ];
  for (const message of messages.slice(0, 6)) port1.postMessage(message);
  while (answers.length < 5) await once(port1, 'message');
  for (const message of messages.slice(6)) port1.postMessage(message);
  while (answers.length < 7) await once(port1, 'message');
  port1.postMessage({ end: true } satisfies Message);
  await once(port1, 'close');
  expect(ended).toBe(true);

  const closed = { failure: { kind: 'closed', message: 'The space is closed.', code: undefined } };
  expect(answers.sort((a, b) => a.id - b.id)).toEqual([
    { id: 1, value: undefined },
    { id: 2, value: undefined },
    { id: 3, value: Float64Array.of(2, 3) },
    { id: 4, failure: { kind: 'failed', message: 'The search was cancelled.', code: undefined } },
    { id: 5, ...closed },
    { id: 6, value: undefined },
    { id: 7, ...closed },
  ]);
});
