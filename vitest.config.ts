import { tmpdir } from 'node:os';
import { defineConfig } from 'vitest/config';
import LongestFirst from './test/support/longest-first.ts';
import { quickFolder } from './test/support/quick-folder.ts';

/** Count what their process has open or holds in memory, or change what it has loaded. */
const ALONE = [
  'test/embedded/lifecycle.test.ts',
  'test/embeddings/guards.test.ts',
  'test/norikv/{back-pressure,idempotency-memory,keep-alive,network-faults,server-handshake}.test.ts',
  'test/repositories/opentelemetry.test.ts',
];

/** Run what was built, or compile. */
const BUILT = ['test/{cli,decorator-matrix,docs,types}/**/*.test.ts'];

/** Bundles what they start. */
const CHILDREN = './test/support/bundled-children.ts';

export default defineConfig({
  oxc: { decorator: { legacy: true } },
  test: {
    projects: [
      { extends: true, test: { name: 'alone', include: ALONE, globalSetup: CHILDREN } },
      // These and all others leave nothing behind, so they share what they import: a tenth of the time. Only two projects, as a
      // worker imports anew for each.
      {
        extends: true,
        test: { name: 'built', include: BUILT, globalSetup: './test/support/bundled-package.ts', isolate: false },
      },
      {
        extends: true,
        test: {
          name: 'shared',
          include: ['{src,test}/**/*.test.ts'],
          exclude: [...ALONE, ...BUILT],
          globalSetup: CHILDREN,
          isolate: false,
        },
      },
    ],
    env: { TMPDIR: quickFolder(), NORIMAKI_DISK: tmpdir() },
    sequence: { sequencer: LongestFirst },
    // For a machine that does much else at the same time.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: 'forks',
    maxWorkers: 2,
    retry: 0,
    reporters: ['default', './test/support/summary-reporter.ts'],
  },
});
