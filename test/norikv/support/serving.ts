import { onTestFinished } from 'vitest';
import type { StoreSource } from '../../../src/core/store.ts';
import { type NorikvServer, type ServeOptions, serve } from '../../../src/server/index.ts';
import { memory } from '../../../src/stores/memory/index.ts';
import { PlainClient } from './plain-client.ts';

/** A server on a free port, until the test ends. */
export async function serving(options: ServeOptions = {}, source: StoreSource = memory()): Promise<NorikvServer> {
  const server = await serve(source, { port: 0, ...options });
  onTestFinished(() => server.close({ grace: 0 }));
  return server;
}

/** The same with a client, for tests that need no more. */
export async function plain(options: ServeOptions = {}, source?: StoreSource): Promise<PlainClient> {
  return clientOf(await serving(options, source));
}

export function clientOf(server: NorikvServer): PlainClient {
  const client = new PlainClient(server.address);
  onTestFinished(() => client[Symbol.dispose]());
  return client;
}
