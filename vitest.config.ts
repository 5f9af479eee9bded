import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // oclif's output is captured by the tests themselves.
    disableConsoleIntercept: true,
    // Containers that tests run in have root and nobody else.
    env: { MTP_ALLOW_ROOT: 'true' },
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
