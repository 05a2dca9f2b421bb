/** When a client counts as lost; times are those of a clock that the test moves. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { HeartBeats } from '../../../src/server/connection/heart-beats.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('a client is not silent while it is not listened to: its silence begins after that', () => {
  let listening = true;
  let lost = 0;
  const beats = new HeartBeats({ beat: () => {}, listening: () => listening, lost: () => lost++ });
  beats.received(performance.now());
  beats.start({ send: 0, receive: 200 });
  listening = false;
  vi.advanceTimersByTime(60_000);
  expect(lost).toBe(0);
  listening = true;
  vi.advanceTimersByTime(3000);
  expect(lost).toBe(1);
  beats.stop();
});
