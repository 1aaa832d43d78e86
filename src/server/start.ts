import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Store } from '../core/store.ts';
import { KvService, norikv, StoreService, VectorService } from '../wire/index.ts';
import type { Operations } from './calls/operations.ts';
import { Places } from './calls/places.ts';
import { recordOperations } from './calls/record-operations.ts';
import { Signals } from './calls/signals.ts';
import { UnaryCalls } from './calls/unary.ts';
import { vectorOperations } from './calls/vector-operations.ts';
import { Alone } from './cluster.ts';
import { Gate } from './gate/gate.ts';
import { authoriser } from './gate/tokens.ts';
import { Listener } from './listen/listener.ts';
import { publicAddress, type Settings } from './options.ts';
import { imitate } from './quirks/imitate.ts';
import { adminService } from './services/admin.ts';
import { extensionService } from './services/extension.ts';
import { addHealth } from './services/health.ts';
import { kvService } from './services/kv.ts';
import { MetaService } from './services/meta.ts';
import { addReflection } from './services/reflection.ts';
import { vectorService } from './services/vector.ts';
import { WatchService } from './services/watch.ts';
import { STREAM_METHOD } from './stream/frames.ts';
import { Streams } from './stream/streams.ts';

/** A server that listens. */
export interface Started {
  readonly port: number;
  /** Takes no more calls; resolves once those that run are answered. */
  finish(): Promise<void>;
  /** Cuts every connection. */
  cut(): void;
}

type Service = readonly [name: string, definition: ServiceDefinition, implementation: UntypedServiceImplementation];

/** Errors: `argument.invalid`. */
export async function start(source: Store, settings: Settings): Promise<Started> {
  const { limits, auth, clock } = settings;
  const gate = new Gate(auth && authoriser(auth));
  const server = new Server({
    'grpc.max_receive_message_length': limits.message,
    'grpc.max_concurrent_streams': limits.streams,
    // Counts and times each call and each message, for nobody.
    'grpc.enable_channelz': 0,
    interceptors: [gate.interceptor],
  });
  let port = 0;
  const address = (): string => settings.advertise ?? publicAddress(settings.host, port);
  const { cluster, store, has } = imitate(settings, source, settings.cluster ?? new Alone(settings.shards, address));
  const places = new Places(limits.calls);
  const signals = new Signals();
  const calls = new UnaryCalls(places, signals);
  const operations: Operations = {
    ...recordOperations(store, cluster),
    ...vectorOperations(store.vectors, limits, clock),
  };
  const streams = new Streams({ operations, limits, places, signals, clock });
  const meta = new MetaService(cluster);
  const watches = new WatchService(store, cluster, limits);
  const described = { capabilities: store.capabilities, limits, shards: cluster.shards };

  const services: Service[] = [
    ['norikv.v1.Kv', KvService, kvService(store, cluster, settings.environment.clock, calls)],
    ['norikv.v1.Meta', norikv.MetaService, meta.server],
    ['norikv.v1.Admin', norikv.AdminService, adminService(cluster, calls)],
  ];
  if (has.vectors) services.push(['norikv.v1.Vector', VectorService, vectorService(operations, calls)]);
  if (has.extension) {
    const definition = { ...StoreService, stream: STREAM_METHOD };
    services.push(['norimaki.v1.Store', definition, extensionService(described, operations, calls, streams, watches)]);
  }
  const names = services.map(([name]) => name);
  for (const [, definition, implementation] of services) server.addService(definition, implementation);
  const health = await addHealth(server, names);
  await addReflection(server, names);

  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  // What comes from it has TLS already.
  const listener = new Listener(settings, (socket) => injector.injectConnection(socket));
  port = await listener.listen();
  return {
    port,
    finish: () =>
      new Promise((resolve) => {
        health.stop();
        meta.stop();
        streams.stop();
        watches.stop();
        gate.endForeignStreams();
        listener.stop();
        server.tryShutdown(() => resolve());
      }),
    cut: () => {
      server.forceShutdown();
      listener.cut();
    },
  };
}
