import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { defineEntity } from '../../src/index.ts';
import { traceCalls } from '../../src/opentelemetry/index.ts';
import { openMemory } from '../support/open.ts';

const Secret = defineEntity('secret', z.object({ id: z.string(), text: z.string() }), { id: 'id' });

const manager = new AsyncLocalStorageContextManager();
beforeAll(() => {
  context.setGlobalContextManager(manager.enable());
});
afterAll(() => {
  context.disable();
});

test('every call is a span below the caller’s, every store call a span below that, with no id and no value', async () => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const tracer = provider.getTracer('test');
  const { db } = await openMemory();
  const secrets = db.repo(Secret);
  const stop = traceCalls(tracer);
  await tracer.startActiveSpan('request', async (span) => {
    await secrets.create({ id: 'canary', text: 'canary' });
    await secrets.getOrThrow('nothing').catch(() => {});
    span.end();
  });
  stop();
  await secrets.get('canary');

  const spans = exporter.getFinishedSpans();
  const nameOf = (id: string | undefined) => spans.find((span) => span.spanContext().spanId === id)?.name;
  expect(spans.map(({ name, parentSpanContext }) => [name, nameOf(parentSpanContext?.spanId)])).toEqual([
    ['norimaki.store.put', 'norimaki.create'],
    ['norimaki.create', 'request'],
    ['norimaki.store.get', 'norimaki.getOrThrow'],
    ['norimaki.getOrThrow', 'request'],
    ['request', undefined],
  ]);
  expect(spans.find(({ name }) => name === 'norimaki.getOrThrow')).toMatchObject({
    status: { message: 'not.found' },
    attributes: { 'db.collection.name': 'secret', 'error.type': 'not.found' },
  });
  expect(JSON.stringify(spans.map(({ name, attributes, events }) => [name, attributes, events]))).not.toContain(
    'canary',
  );
  expect(trace.getActiveSpan()).toBeUndefined();
});
