/** Keeps work in the background to a share of the time, so that Redis serves others for the rest. */
import { pause } from '../common/pause.ts';

/** Milliseconds that one rest takes at most. */
const LONGEST_REST = 1000;

export class Pacer {
  readonly #share: number;
  readonly #signal: AbortSignal | undefined;
  #began = performance.now();

  /**
   * @param share of the time that is worked, 0 to 1
   * @param signal cuts rests short
   */
  constructor(share: number, signal?: AbortSignal) {
    this.#share = share;
    this.#signal = signal;
  }

  /** Rests for the work since the rest before; called after each page. */
  async rest(): Promise<void> {
    const worked = performance.now() - this.#began;
    await pause(Math.min(LONGEST_REST, (worked / this.#share) * (1 - this.#share)), this.#signal);
    this.#began = performance.now();
  }
}
