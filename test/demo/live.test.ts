/** The crowd while somebody looks at it. */
import { expect, test } from 'vitest';
import type { Crowd } from '../../src/demo/crowd.ts';
import { live } from '../../src/demo/live.ts';
import type { Stage } from '../../src/demo/stage.ts';

function staged(gather: () => Promise<void> = async () => {}) {
  const done: string[] = [];
  const over = new AbortController();
  const crowd: Partial<Crowd> = {
    async gather() {
      await gather();
      done.push('gathered');
    },
    mostDevices: () => 'star',
    mingle: (staying) => void done.push(`mingles, ${staying} stays`),
  };
  return { stage: { crowd, over: over.signal } as Stage, over, done };
}

test('they come, then they mingle, then somebody looks', async () => {
  const { stage, over, done } = staged();
  await live(stage, async (signal) => {
    expect(signal).toBe(over.signal);
    done.push('looked at');
  });
  expect(done).toEqual(['gathered', 'mingles, star stays', 'looked at']);
});

test('what is over before they are here is not looked at', async () => {
  const { stage, over, done } = staged(async () => over.abort());
  await live(stage, async () => void done.push('looked at'));
  expect(done).toEqual(['gathered']);
});

test('nor is a crowd that cannot come', async () => {
  const { stage } = staged(() => Promise.reject(new Error('no')));
  await expect(live(stage, async () => expect.unreachable())).rejects.toThrow('no');
});
