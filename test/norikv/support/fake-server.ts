import {
  Server,
  ServerCredentials,
  type ServiceError,
  type status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { onTestFinished } from 'vitest';
import { norikv, norimaki } from '../../../src/wire/index.ts';

/** What a server does; what is left out is UNIMPLEMENTED. */
export interface Fake {
  readonly kv?: Partial<norikv.KvServer>;
  readonly vector?: Partial<norikv.VectorServer>;
  readonly meta?: Partial<norikv.MetaServer>;
  readonly store?: Partial<norimaki.StoreServer>;
}

/** As norimaki's own server answers, with all that there is. */
const DESCRIBED: norimaki.DescribeResponse = {
  software: 'fake',
  capabilities: {
    ...{ atomicCas: true, ifAbsent: true, deleteIfMatch: true, idempotency: true },
    ...{ scan: true, commit: true, vectors: true, watch: false },
  },
  limits: { key: 1024, value: 1_048_576, message: 4_194_304, k: 1000, dimensions: 4096 },
  shards: 16,
};

export const describeOurs: norimaki.StoreServer['describe'] = (_, reply) => reply(null, DESCRIBED);

export function failed(code: status, details: string): Partial<ServiceError> {
  return { code, details };
}

export interface RunningFake {
  readonly port: number;
  readonly address: string;
  /** Cuts every connection and listens no longer. */
  stop(): void;
}

/** A server for one test, with exactly these faults. */
export async function startFake(fake: Fake, port = 0): Promise<RunningFake> {
  const server = new Server();
  // Handlers that are missing are answered with UNIMPLEMENTED.
  const add = (service: Parameters<Server['addService']>[0], handlers: object | undefined): void => {
    if (handlers !== undefined) server.addService(service, handlers as UntypedServiceImplementation);
  };
  add(norikv.KvService, fake.kv);
  add(norikv.VectorService, fake.vector);
  add(norikv.MetaService, fake.meta);
  add(norimaki.StoreService, fake.store);
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) =>
      error === null ? resolve(at) : reject(error),
    );
  });
  onTestFinished(() => server.forceShutdown());
  return { port: bound, address: `127.0.0.1:${bound}`, stop: () => server.forceShutdown() };
}
