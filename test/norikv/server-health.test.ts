import { Client, credentials, makeGenericClientConstructor, type ServiceClientConstructor } from '@grpc/grpc-js';
import { service as healthService } from 'grpc-health-check';
import { expect, onTestFinished, test } from 'vitest';
import type { NorikvServer } from '../../src/server/index.ts';
import { serving } from './support/serving.ts';

// biome-ignore lint/suspicious/noExplicitAny: clients that are made at run time have no types.
type Dynamic = any;

function clientFor(server: NorikvServer, Made: ServiceClientConstructor): Dynamic {
  const client = new Made(server.address, credentials.createInsecure());
  onTestFinished(() => client.close());
  return client;
}

test('health: every service is served, an unknown one is not known, and closing says so first', async () => {
  const server = await serving();
  const client = clientFor(server, makeGenericClientConstructor(healthService as Dynamic, 'Health'));
  const check = (service: string) =>
    new Promise((resolve) =>
      client.check({ service }, (error: Dynamic, answer: Dynamic) => resolve(error?.code ?? answer.status)),
    );
  for (const name of ['', 'norikv.v1.Kv', 'norikv.v1.Vector', 'norimaki.v1.Store']) {
    expect(await check(name)).toBe('SERVING');
  }
  expect(await check('norikv.v1.Queue')).toBe(5);
  const watch = client.watch({ service: '' });
  const seen: string[] = [];
  const ended = new Promise((resolve) => watch.on('error', resolve));
  watch.on('data', ({ status }: { status: string }) => seen.push(status));
  while (seen.length === 0) await new Promise(setImmediate);
  await server.close();
  await ended;
  expect(seen).toEqual(['SERVING', 'NOT_SERVING']);
});

/** Asks one question of the reflection; both messages as their bytes. */
function reflect(server: NorikvServer, field: number, text: string): Promise<Buffer> {
  const client = new Client(server.address, credentials.createInsecure());
  onTestFinished(() => client.close());
  const same = (bytes: Buffer): Buffer => bytes;
  const call = client.makeBidiStreamRequest('/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', same, same);
  return new Promise((resolve, reject) => {
    call.on('data', resolve);
    call.on('error', reject);
    call.write(Buffer.concat([Buffer.from([(field << 3) | 2, text.length]), Buffer.from(text)]));
    call.end();
  });
}

const FILE_CONTAINING_SYMBOL = 4;
const LIST_SERVICES = 7;

test('reflection: services and their messages can be asked for', async () => {
  const server = await serving();
  const services = String(await reflect(server, LIST_SERVICES, '*'));
  expect(services.match(/nori\w+\.v1\.[A-Z][a-z]+/g)?.sort()).toEqual([
    'norikv.v1.Admin',
    'norikv.v1.Kv',
    'norikv.v1.Meta',
    'norikv.v1.Vector',
    'norimaki.v1.Store',
  ]);
  const files = String(await reflect(server, FILE_CONTAINING_SYMBOL, 'norimaki.v1.Store'));
  // Of the file itself, and of the one that it imports.
  for (const message of ['CommitRequest', 'VectorSearchRequest']) expect(files).toContain(message);
});
