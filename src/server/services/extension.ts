import type { Capabilities } from '../../core/store.ts';
import type { norimaki } from '../../wire/index.ts';
import type { Operations } from '../calls/operations.ts';
import type { UnaryCalls } from '../calls/unary.ts';
import type { ServerLimits } from '../options.ts';
import type { Streams } from '../stream/streams.ts';
import type { WatchService } from './watch.ts';

interface Described {
  readonly capabilities: Capabilities;
  readonly limits: ServerLimits;
  readonly shards: number;
}

/** `norimaki.v1.Store`: what the protocol lacks. */
export function extensionService(
  described: Described,
  operations: Operations,
  calls: UnaryCalls,
  streams: Streams,
  watches: WatchService,
): norimaki.StoreServer {
  return {
    describe: calls.handle(async () => describe(described)),
    get: calls.handle(operations.get),
    put: calls.handle(operations.put),
    delete: calls.handle(operations.delete),
    scan: calls.handle(operations.scan),
    commit: calls.handle(operations.commit),
    listVectors: calls.handle(operations.listVectors),
    watch: watches.handle,
    stream: streams.handle,
  };
}

function describe({ capabilities, limits, shards }: Described): norimaki.DescribeResponse {
  const { cas, ifAbsent, deleteIfMatch, idempotency, scan, commit, vectors, watch, limits: sizes } = capabilities;
  const can = { atomicCas: cas === 'atomic', ifAbsent, deleteIfMatch, idempotency, scan, commit, vectors, watch };
  const { message, k, dimensions } = limits;
  return {
    software: 'norimaki',
    capabilities: can,
    limits: { key: sizes.key, value: sizes.value, message, k, dimensions },
    shards,
  };
}
