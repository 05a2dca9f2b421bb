import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    // Most of these tests wait for another process: more of them than cores run abreast.
    maxWorkers: availableParallelism() + 1,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    globalSetup: ['test/helpers/global-setup.ts'],
    coverage: { provider: 'v8', include: ['src/**'], exclude: ['src/**/*.gen.ts'] },
  },
});
