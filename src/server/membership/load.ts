/** How hard this process works, as its lease tells: measured between one renewal and the next. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Milliseconds between two looks at the event loop. */
const RESOLUTION = 20;
/** Milliseconds that a sample lasts at least: who asks sooner is told the one before. */
const SAMPLE = 1000;

export interface LoadSample {
  /** Milliseconds: what one in a hundred turns of the event loop came late by. */
  loop_delay_ms: number;
  /** Share of one core; above 1 when threads work too. */
  cpu: number;
  /** Bytes of memory, as the system counts them. */
  rss: number;
}

export class Load {
  readonly #delays = monitorEventLoopDelay({ resolution: RESOLUTION });
  #since = performance.now();
  #cpu = process.cpuUsage();
  #last: LoadSample = { loop_delay_ms: 0, cpu: 0, rss: process.memoryUsage.rss() };

  start(): void {
    this.#delays.enable();
  }

  stop(): void {
    this.#delays.disable();
  }

  /** What was measured since the last sample. */
  sample(): LoadSample {
    const now = performance.now();
    const elapsed = now - this.#since;
    if (elapsed < SAMPLE) return this.#last;
    const { user, system } = process.cpuUsage(this.#cpu);
    // A turn that came in time counts with the time between two looks.
    const late = Math.max(0, this.#delays.percentile(99) / 1e6 - RESOLUTION);
    this.#last = {
      loop_delay_ms: Math.round(late * 10) / 10,
      cpu: Math.round((user + system) / elapsed) / 1000,
      rss: process.memoryUsage.rss(),
    };
    this.#since = now;
    this.#cpu = process.cpuUsage();
    this.#delays.reset();
    return this.#last;
  }
}
