import { AsyncLocalStorage } from 'node:async_hooks';
import type { TracingChannel } from 'node:diagnostics_channel';
import {
  type Attributes,
  type Context,
  context,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { NorimakiError } from '../core/errors.ts';
import { repositoryCalls, storeCalls } from '../repositories/index.ts';

interface Tracing {
  readonly tracer: Tracer;
  /** The span that calls made inside a traced call belong to. */
  readonly current: AsyncLocalStorage<object>;
}

/**
 * Makes an OpenTelemetry span of every repository call (`norimaki.mutate`) and, below it, of every call to the store
 * (`norimaki.store.put`). Attributes name the entity and the verb, never ids or values. Returns the function that stops.
 *
 * A write that several callers share shows its store calls below the first of them.
 *
 * @example
 * ```ts
 * import { trace } from '@opentelemetry/api';
 * import { traceCalls } from 'norimaki/opentelemetry';
 *
 * const stop = traceCalls(trace.getTracer('shop'));
 * ```
 */
export function traceCalls(tracer: Tracer): () => void {
  const tracing: Tracing = { tracer, current: new AsyncLocalStorage() };
  const stops = [
    traceChannel(tracing, repositoryCalls, ({ entity, verb }) => [
      `norimaki.${verb}`,
      { 'db.system.name': 'norimaki', 'db.collection.name': entity, 'db.operation.name': verb },
    ]),
    traceChannel(tracing, storeCalls, ({ verb }) => [`norimaki.store.${verb}`, { 'db.operation.name': verb }]),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function traceChannel<Call extends object>(
  { tracer, current }: Tracing,
  channel: TracingChannel<object, Call>,
  describe: (call: Call) => [name: string, attributes: Attributes],
): () => void {
  const spans = new WeakMap<Call, Span>();
  // Only calls of this channel are published to its parts, with `error` added where one failed.
  const end = (call: unknown): void => spans.get(call as Call)?.end();
  const fail = (call: unknown): void => {
    const { error } = call as { error?: unknown };
    const code = error instanceof NorimakiError ? error.code : 'unexpected';
    spans
      .get(call as Call)
      ?.setStatus({ code: SpanStatusCode.ERROR, message: code })
      .setAttribute('error.type', code);
  };
  channel.start.bindStore(current, (call) => {
    const [name, attributes] = describe(call);
    // Nobody else binds this storage.
    const parent = (current.getStore() as Context | undefined) ?? context.active();
    const span = tracer.startSpan(name, { kind: SpanKind.CLIENT, attributes }, parent);
    spans.set(call, span);
    return trace.setSpan(parent, span);
  });
  channel.asyncEnd.subscribe(end);
  channel.error.subscribe(fail);
  return () => {
    channel.start.unbindStore(current);
    channel.asyncEnd.unsubscribe(end);
    channel.error.unsubscribe(fail);
  };
}
