/** Heart-beats over time, which the tests through the door can't measure: 1.1 and 1.2 "Heart-beating". */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { HeartBeats } from '../../../src/server/connection/heart-beats.ts';

const beat = vi.fn<() => void>();
const lost = vi.fn<(silent: number) => void>();
let listening = true;
let beats: HeartBeats;

beforeEach(() => {
  vi.useFakeTimers();
  vi.resetAllMocks();
  listening = true;
  beats = new HeartBeats({ beat, listening: () => listening, lost });
  beats.received(performance.now());
});
afterEach(() => {
  beats.stop();
  vi.useRealTimers();
});

it.each([1, 2, 200, 10_000])(
  'of %i ms: never so long without a beat, timers that fire late allowed for',
  (interval) => {
    beats.start({ send: interval, receive: 0 });
    vi.advanceTimersByTime(Math.max(1, interval - 1));
    expect(beat).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(8 * interval);
    expect(beat.mock.calls.length).toBeGreaterThanOrEqual(9);
  },
);

it('a client is not lost while it is not listened to, and its silence begins when it is again', () => {
  beats.start({ send: 0, receive: 100 });
  listening = false;
  vi.advanceTimersByTime(60_000);
  listening = true;
  beats.received(performance.now());
  vi.advanceTimersByTime(1000);
  expect(lost).not.toHaveBeenCalled();
  vi.advanceTimersByTime(200);
  expect(lost).toHaveBeenCalledTimes(1);
  expect(lost.mock.calls[0]![0]).toBeGreaterThanOrEqual(1100);
});
