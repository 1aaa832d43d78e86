import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Environment } from '../../../src/core/clock.ts';
import type { Store } from '../../../src/core/store.ts';
import { serve } from '../../../src/server/index.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { memory } from '../../../src/stores/memory/index.ts';
import { norikv } from '../../../src/stores/norikv/index.ts';

/** The kinds of store on which every promise of a block is tested. */
export const STORE_KINDS = ['memory', 'embedded', 'norikv'] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

/** An empty store, which is closed with the test. Its versions grow with every write, whatever the key. */
export async function openStore(kind: StoreKind, environment: Environment): Promise<Store> {
  const store = await openers[kind](environment);
  onTestFinished(() => store.close());
  return store;
}

const openers: Readonly<Record<StoreKind, (environment: Environment) => Promise<Store>>> = {
  memory: (environment) => memory().openStore(environment),
  embedded: async (environment) => {
    const folder = await mkdtemp(join(tmpdir(), 'norimaki-patterns-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    // Nothing here loses power.
    return embedded({ path: join(folder, 'data'), durability: 'committed' }).openStore(environment);
  },
  // Over a real wire, in one process.
  norikv: async (environment) => {
    const server = await serve(memory(), { port: 0, insecure: true, environment });
    onTestFinished(() => server.close({ grace: 0 }));
    return norikv({ nodes: [server.address], insecure: true, extension: 'required' }).openStore(environment);
  },
};
