/** How fast an act goes: with a clock of the test's own. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Throttle } from '../../src/sessions/throttle.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** How many of `all` have gone after so many milliseconds. */
function runner(pace: Throttle, all: number) {
  let gone = 0;
  const over = (async () => {
    while (gone < all) {
      const took = await pace.take(all - gone);
      if (took === 0) return;
      gone += took;
    }
  })();
  return { over, after: async (ms: number) => vi.advanceTimersByTimeAsync(ms).then(() => gone) };
}

test.each([1, 2, 7, 50, 1000])('at %i a second, never more than that in any second', async (rate) => {
  const { after } = runner(new Throttle(rate), rate * 4);
  let before = await after(0);
  expect(before).toBeLessThanOrEqual(Math.max(1, rate / 5));
  for (let second = 1; second <= 3; second++) {
    const now = await after(1000);
    expect(now - before).toBeLessThanOrEqual(rate);
    expect(now - before).toBeGreaterThanOrEqual(Math.floor(rate * 0.8));
    before = now;
  }
});

test('several who share one pace go no faster together', async () => {
  const pace = new Throttle(10);
  const [one, other] = [runner(pace, 100), runner(pace, 100)];
  await one.after(5000);
  expect((await one.after(0)) + (await other.after(0))).toBeLessThanOrEqual(52);
});

test('without a rate nobody waits', async () => {
  expect(await new Throttle().take(1234)).toBe(1234);
});

test('called off, nothing goes any more, and who waits is told at once', async () => {
  const stop = new AbortController();
  const { over, after } = runner(new Throttle(1, stop.signal), 100);
  expect(await after(2500)).toBe(3);
  stop.abort();
  await over;
  expect(await after(0)).toBe(3);
});
