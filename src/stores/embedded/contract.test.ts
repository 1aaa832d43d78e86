import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, test } from 'vitest';
import type { Environment } from '../../core/clock.ts';
import { DEFAULT_LIMITS, type Store } from '../../core/store.ts';
import { contractCases, storeContract } from '../../testing/index.ts';
import { type EmbeddedOptions, embedded } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'norimaki-contract-'));
const paths = new WeakMap<Store, string>();
let opened = 0;

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs of each stateful test; each opens a folder, and most start a thread. */
const RUNS = 25;

/** Of {@link storeContract}; the clock of a contract stands still, or takes leaps of a thousand years. */
function contractOf(sweep: EmbeddedOptions['sweep']): Parameters<typeof storeContract>[0] {
  async function openAt(path: string, environment: Environment): Promise<Store> {
    const store = await embedded({ path, sweep }).openStore(environment);
    paths.set(store, path);
    return store;
  }
  return {
    name: 'the embedded store',
    capabilities: {
      cas: 'atomic',
      ifAbsent: true,
      deleteIfMatch: true,
      idempotency: false,
      scan: true,
      commit: true,
      vectors: true,
      watch: true,
      limits: DEFAULT_LIMITS,
    },
    open: (environment) => openAt(join(folder, String(opened++)), environment),
    reopen: (closed, environment) => openAt(paths.get(closed) ?? '', environment),
    runs: RUNS,
  };
}

storeContract(contractOf({ every: '520w' }), { describe, test });

describe('while expired records are swept away under it, the embedded store', () => {
  const sweeping = contractOf({ every: '20ms', batch: 2 });
  for (const { group, name, run } of contractCases(sweeping)) {
    if (group === 'any sequence of calls') test(name, run);
  }
});
