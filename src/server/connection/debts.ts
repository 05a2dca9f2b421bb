/**
 * What receivers still owed their senders when they went, so that one who comes again and again, and takes nothing, is
 * not waited for anew each time (back-pressure.ts). Time makes it good.
 */

/** Milliseconds that make a millisecond of debt good. */
const COST = 30;
/** Owners that are remembered at most; the one whose debt is oldest is forgotten first. */
const MOST = 10_000;

export class Debts {
  readonly #left = new Map<string, { owed: number; at: number }>();
  readonly #longest: number;

  /** @param most milliseconds that one may owe */
  constructor(most: number) {
    this.#longest = most * COST;
  }

  /** What an owner owes, in milliseconds. @param now of a monotonic clock */
  of(owner: string, now: number): number {
    const debt = this.#left.get(owner);
    return debt ? reduced(debt.owed, now - debt.at) : 0;
  }

  /** One of an owner's receivers went. @param at when it owed that */
  leave(owner: string, owed: number, at: number, now: number): void {
    const left = Math.max(reduced(owed, now - at), this.of(owner, now));
    this.#left.delete(owner); // the map is in the order of time
    if (left > 0) this.#left.set(owner, { owed: left, at: now });
    for (const [oldest, debt] of this.#left) {
      if (now - debt.at < this.#longest && this.#left.size <= MOST) return;
      this.#left.delete(oldest);
    }
  }
}

function reduced(owed: number, time: number): number {
  return Math.max(0, owed - time / COST);
}
