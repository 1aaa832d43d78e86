import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Environment } from '../../../src/core/clock.ts';
import type { Store } from '../../../src/core/store.ts';
import { embedded } from '../../../src/stores/embedded/index.ts';
import { memory } from '../../../src/stores/memory/index.ts';

/** The kinds of store on which every promise of a block is tested. */
export const STORE_KINDS = ['memory', 'embedded'] as const;
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
};
