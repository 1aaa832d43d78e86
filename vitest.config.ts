import { tmpdir } from 'node:os';
import { defineConfig } from 'vitest/config';
import LongestFirst from './test/support/longest-first.ts';
import { quickFolder } from './test/support/quick-folder.ts';

export default defineConfig({
  oxc: { decorator: { legacy: true } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    env: { TMPDIR: quickFolder(), NORIMAKI_DISK: tmpdir() },
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    retry: 0,
    reporters: ['default', './test/support/summary-reporter.ts'],
  },
});
