/** Something again and again, until a signal. */
import type { Io } from '../io.ts';

/** Calls `act` at once and then every `interval` ms, one call at a time, until SIGINT or SIGTERM. */
export async function repeat(io: Io, interval: number, act: () => Promise<void>): Promise<void> {
  let stopped = false;
  let wake = () => {};
  io.onSignal(() => {
    stopped = true;
    wake();
  });
  while (!stopped) {
    const next = performance.now() + interval;
    await act();
    if (stopped) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, Math.max(0, next - performance.now()));
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
