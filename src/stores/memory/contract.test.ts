import { describe, test } from 'vitest';
import { DEFAULT_LIMITS } from '../../core/store.ts';
import { storeContract } from '../../testing/index.ts';
import { memory } from './memory.ts';

storeContract(
  {
    name: 'the memory store',
    capabilities: {
      cas: 'atomic',
      ifAbsent: true,
      deleteIfMatch: true,
      idempotency: true,
      scan: true,
      commit: true,
      vectors: true,
      watch: true,
      limits: DEFAULT_LIMITS,
    },
    open: (environment) => memory().openStore(environment),
  },
  { describe, test },
);
