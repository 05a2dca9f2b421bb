import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Those that wait longest, which begin first, so that nothing waits for them in the end. */
const LONG = ['e2e/soak', 'contracts/control', 'contracts/kick', 'contracts/doctor', 'e2e/cli-doctor', 'e2e/cli-drain'];

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
    maxWorkers: availableParallelism() + 2,
    sequence: { sequencer: LongFirst },
    testTimeout: 30_000,
    hookTimeout: 30_000,
    globalSetup: ['test/helpers/global-setup.ts'],
    coverage: { provider: 'v8', include: ['src/**'], exclude: ['src/**/*.gen.ts'] },
  },
});
