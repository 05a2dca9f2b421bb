/**
 * Shares the event loop out: one read may hold 100,000 frames, each for 1,000 subscribers. A connection with so much to do
 * does some of it in each turn of the loop; in between the others have theirs, sockets are read, and timers run.
 */

/** Milliseconds of work in one turn; what takes longer goes on in the next one. */
const TURN = 25;
/** The least that a worker gets of it, in milliseconds. */
const LEAST = 1;

/** Who has something to do, in pieces. */
export interface Worker {
  /**
   * Does a piece, and then the next one if it isn't `end` yet, a time of performance.now().
   * @returns false when there is nothing left
   */
  work(end: number): boolean;
}

export class Turns {
  /** Those that are not done, in the order in which they go on. */
  readonly #waiting = new Set<Worker>();
  /** Milliseconds that were worked in this turn. */
  #spent = 0;
  #due = false;

  /**
   * Lets a worker begin: at once, unless others wait or this turn has been used up.
   * @returns false when there is something left, which is done in later turns
   */
  begin(worker: Worker): boolean {
    this.#next();
    if (this.#waiting.size === 0 && this.#spent < TURN) this.#give(worker);
    else this.#waiting.add(worker);
    return !this.#waiting.has(worker);
  }

  #give(worker: Worker): void {
    this.#waiting.delete(worker);
    const start = performance.now();
    const share = (TURN - this.#spent) / (this.#waiting.size + 1);
    // Behind those that wait already.
    if (worker.work(start + Math.max(LEAST, share))) this.#waiting.add(worker);
    this.#spent += performance.now() - start;
  }

  #next(): void {
    if (this.#due) return;
    this.#due = true;
    setImmediate(() => {
      this.#due = false;
      this.#spent = 0;
      if (this.#waiting.size > 0) this.#next();
      // One that is put back goes to the end of a set, and so comes again if there is time.
      for (const worker of this.#waiting) {
        if (this.#spent >= TURN) break;
        this.#give(worker);
      }
    });
  }
}
