import { tmpdir } from 'node:os';
import { defineConfig } from 'vitest/config';
import LongestFirst from './test/support/longest-first.ts';
import { quickFolder } from './test/support/quick-folder.ts';

/** Start processes, count what theirs has open or holds in memory, or change what it has loaded. */
const ALONE = [
  'test/{decorator-matrix,docs,embedded,types}/**/*.test.ts',
  'test/**/*-processes.test.ts',
  'test/embeddings/{deferred-crash,guards}.test.ts',
  'test/norikv/{back-pressure,idempotency-memory,keep-alive,network-faults,server-handshake}.test.ts',
  'test/repositories/opentelemetry.test.ts',
];

/** Run what was built. */
const BUILT = ['test/cli/*.test.ts', 'test/docs/examples.test.ts'];

export default defineConfig({
  oxc: { decorator: { legacy: true } },
  test: {
    projects: [
      { extends: true, test: { name: 'alone', include: ALONE, exclude: BUILT } },
      { extends: true, test: { name: 'built', include: BUILT, globalSetup: './test/support/bundled-package.ts' } },
      // The others leave nothing behind, so they share what they import: a tenth of the time.
      { extends: true, test: { name: 'src', include: ['src/**/*.test.ts'], isolate: false } },
      {
        extends: true,
        test: { name: 'test', include: ['test/**/*.test.ts'], exclude: [...ALONE, ...BUILT], isolate: false },
      },
    ],
    env: { TMPDIR: quickFolder(), NORIMAKI_DISK: tmpdir() },
    sequence: { sequencer: LongestFirst },
    // For a machine that does much else at the same time.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: 'forks',
    // One more than CI has processors: many tests wait for processes of theirs, or for time.
    maxWorkers: 3,
    retry: 0,
    reporters: ['default', './test/support/summary-reporter.ts'],
  },
});
