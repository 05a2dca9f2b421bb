import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Those that wait longest, which begin first, so that nothing waits for them in the end. */
const LONG = [
  'e2e/soak',
  'e2e/only-node-killed',
  'e2e/cli-doctor',
  'e2e/redis-network',
  'contracts/doctor',
  'contracts/control',
  'contracts/kick',
  'e2e/cli-terminal-questions',
  'e2e/cli',
  'e2e/replaced-node',
  'e2e/cli-drain',
  'e2e/cli-embedded',
  'e2e/node-killed',
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONG.findIndex((name) => moduleId.endsWith(`test/${name}.test.ts`));
      return at === -1 ? LONG.length : at;
    };
    return (await super.sort(files)).sort((one, other) => rank(one) - rank(other));
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx}'],
    // Most of these tests wait for another process: more of them than cores run abreast.
    maxWorkers: availableParallelism() + 3,
    sequence: { sequencer: LongFirst },
    testTimeout: 30_000,
    hookTimeout: 30_000,
    globalSetup: ['test/helpers/global-setup.ts'],
    coverage: { provider: 'v8', include: ['src/**'], exclude: ['src/**/*.gen.ts'] },
  },
});
