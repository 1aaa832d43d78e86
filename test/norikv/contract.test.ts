import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, test } from 'vitest';
import type { Environment } from '../../src/core/clock.ts';
import { DEFAULT_LIMITS, type Store, type StoreOpener } from '../../src/core/store.ts';
import { QUIRKS, type ServeOptions, serve } from '../../src/server/index.ts';
import { embedded } from '../../src/stores/embedded/index.ts';
import { memory } from '../../src/stores/memory/index.ts';
import { type NorikvOptions, norikv } from '../../src/stores/norikv/index.ts';
import { contractCases, storeContract } from '../../src/testing/index.ts';

// What a store promises, it promises over the wire too.

type Input = Parameters<typeof storeContract>[0];

const FULL: Input['capabilities'] = {
  cas: 'atomic',
  ifAbsent: true,
  deleteIfMatch: true,
  idempotency: true,
  scan: true,
  commit: true,
  vectors: true,
  watch: true,
  limits: DEFAULT_LIMITS,
};

const PLAIN: Input['capabilities'] = {
  cas: 'best-effort',
  ifAbsent: false,
  deleteIfMatch: false,
  idempotency: false,
  scan: false,
  commit: false,
  vectors: false,
  watch: false,
  limits: DEFAULT_LIMITS,
};

/** How stores are opened, each over a server of its own, which ends with it. */
function over(
  served: () => StoreOpener,
  serving: ServeOptions = {},
  options: Partial<NorikvOptions> = {},
): Input['open'] {
  return async (environment: Environment): Promise<Store> => {
    const server = await serve(served(), { port: 0, environment, ...serving });
    const store = await norikv({ nodes: [server.address], ...options }).openStore(environment);
    const close = store.close.bind(store);
    store.close = async () => {
      await close();
      await server.close();
    };
    return store;
  };
}

storeContract(
  { name: 'a server over the memory store, on one stream', capabilities: FULL, open: over(memory), runs: 10 },
  { describe, test },
);

/** What takes thousands of answers, or does not depend on how they travel: the stream has the same cases. */
const ON_THE_STREAM = new Set(['races', 'linearizability', 'vector search', 'vector limits', 'watch']);

describe('with unary calls', () => {
  const open = over(memory, {}, { batching: false });
  const name = 'a server over the memory store';
  for (const { group, name: title, run } of contractCases({ name, capabilities: FULL, open, runs: 3 })) {
    if (!ON_THE_STREAM.has(group)) test(`${group}: ${title}`, run);
  }
});

const folder = mkdtempSync(join(tmpdir(), 'norimaki-wire-'));
let opened = 0;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a store on disk may do otherwise than one in memory. */
const OF_THE_STORE = new Set([
  'versions',
  'commits',
  'expiry',
  'idempotency',
  'vector commits',
  'watch',
  'any sequence of calls',
]);

describe('over the embedded store', () => {
  // The clock of a contract takes leaps of a thousand years, of which a sweeper would have to make each step.
  const open = over(() => embedded({ path: join(folder, String(opened++)), durability: 'committed', sweep: false }));
  const input = {
    name: 'a server over the embedded store',
    capabilities: { ...FULL, idempotency: false },
    open,
    runs: 3,
  };
  for (const { group, name: title, run } of contractCases(input)) {
    if (OF_THE_STORE.has(group)) test(`${group}: ${title}`, run);
  }
});

/** Who leads is for client-redirects.test.ts: a wait at each shard's first touch would make minutes of this. */
const faithful = QUIRKS.filter((quirk) => !/^(lost-proposal|not-leader-.*)$/.test(quirk));

storeContract(
  { name: 'a server with the quirks of NoriKV', capabilities: PLAIN, open: over(memory, { quirks: faithful }) },
  { describe, test },
);
