/** Queues that wait for a consumer which is behind: they look again a moment later. */

/** Milliseconds until they do. */
const LATER = 20;

export class Clogged {
  readonly #names = new Set<string>();
  readonly #wake: (queues: readonly string[]) => void;

  /** @param wake looks whether these queues have somebody to give to now */
  constructor(wake: (queues: readonly string[]) => void) {
    this.#wake = wake;
  }

  add(queue: string): void {
    if (this.#names.size === 0) {
      setTimeout(() => {
        const names = [...this.#names];
        this.#names.clear();
        this.#wake(names);
      }, LATER).unref();
    }
    this.#names.add(queue);
  }
}
