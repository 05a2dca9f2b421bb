/** How fast an act goes through its targets, and whether it has been called off. */
import { pause } from '../common/pause.ts';

/** Times a second that some go, so that a fast pace isn't made of single ones. */
const STEPS = 5;

export class Throttle {
  readonly #perSecond: number;
  readonly #stopped: AbortSignal | undefined;
  /** On the monotonic clock: when the next may go. */
  #next = 0;

  /**
   * @param perSecond targets a second at most; Infinity: as fast as can be
   * @param stopped calls the rest off
   */
  constructor(perSecond = Number.POSITIVE_INFINITY, stopped?: AbortSignal) {
    this.#perSecond = perSecond;
    this.#stopped = stopped;
  }

  /**
   * Waits for its turn.
   * @param wanted how many there are to go, at least 1
   * @returns how many may go now, at most `wanted`; 0 when the rest is called off
   */
  async take(wanted: number): Promise<number> {
    const most = Math.max(1, Math.min(wanted, Math.floor(this.#perSecond / STEPS)));
    const now = performance.now();
    const at = Math.max(now, this.#next);
    this.#next = at + (most * 1000) / this.#perSecond;
    if (at > now) await pause(at - now, this.#stopped);
    return this.#stopped?.aborted ? 0 : most;
  }
}
