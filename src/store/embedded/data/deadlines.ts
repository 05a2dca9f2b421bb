/** Who ends next: a binary heap, in which each holder knows its place, so that a changed deadline moves it at once. */

export interface Holder {
  /** Milliseconds since 1970; Infinity for no end. */
  expiresAt: number;
  /** Its place in the heap, -1 outside; the heap's own. */
  place: number;
}

export class Deadlines<T extends Holder> {
  readonly #heap: T[] = [];

  get first(): T | undefined {
    return this.#heap[0];
  }

  get size(): number {
    return this.#heap.length;
  }

  /** The mean of a hundred of them, taken at even steps from all; NaN without any. */
  mean(): number {
    const step = Math.ceil(this.#heap.length / 100);
    let [sum, count] = [0, 0];
    for (let i = 0; i < this.#heap.length; i += step, count++) sum += this.#heap[i]!.expiresAt;
    return sum / count;
  }

  /** Sets the deadline of a holder; Infinity takes it out. */
  set(holder: T, expiresAt: number): void {
    holder.expiresAt = expiresAt;
    if (expiresAt === Infinity) {
      this.#remove(holder);
      return;
    }
    if (holder.place < 0) {
      holder.place = this.#heap.length;
      this.#heap.push(holder);
    }
    this.#settle(holder);
  }

  #remove(holder: T): void {
    if (holder.place < 0) return;
    const last = this.#heap.pop()!;
    if (last !== holder) {
      this.#put(last, holder.place);
      this.#settle(last);
    }
    holder.place = -1;
  }

  /** Moves a holder up or down to where its deadline belongs. */
  #settle(holder: T): void {
    const heap = this.#heap;
    let at = holder.place;
    for (let up = (at - 1) >> 1; at > 0 && heap[up]!.expiresAt > holder.expiresAt; up = (at - 1) >> 1) {
      this.#put(heap[up]!, at);
      at = up;
    }
    for (;;) {
      let down = at * 2 + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && heap[down + 1]!.expiresAt < heap[down]!.expiresAt) down++;
      if (heap[down]!.expiresAt >= holder.expiresAt) break;
      this.#put(heap[down]!, at);
      at = down;
    }
    this.#put(holder, at);
  }

  #put(holder: T, at: number): void {
    this.#heap[at] = holder;
    holder.place = at;
  }
}
