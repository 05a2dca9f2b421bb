/** Waits that a ring or the end cuts short. No timer outlives its wait. */
export class Bell {
  readonly #signal: AbortSignal;
  #wake: (() => void) | undefined;
  /** Rung while nobody waited: the next wait ends at once. */
  #rung = false;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** @param ms without it, until it rings */
  async wait(ms?: number): Promise<void> {
    if (!this.#rung && !this.#signal.aborted && ms !== 0) {
      await new Promise<void>((resolve) => {
        const end = () => {
          clearTimeout(timer);
          this.#signal.removeEventListener('abort', end);
          this.#wake = undefined;
          resolve();
        };
        const timer = ms === undefined ? undefined : setTimeout(end, ms);
        this.#signal.addEventListener('abort', end);
        this.#wake = end;
      });
    }
    this.#rung = false;
  }
}
