// How the tests run. One process a file (pool "forks"): tests start servers and native modules,
// which end with the process whatever a test leaves open. Two at a time, for two cores.
import { defineConfig } from 'vitest/config';
import { SkipReporter } from './test/support/skip-reporter.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    // A test that needs longer says so itself; a hung one must not hold the run for minutes.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    teardownTimeout: 10_000,
    reporters: ['default', new SkipReporter()],
  },
});
