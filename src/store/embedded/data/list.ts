/** A list: a ring that both ends grow in, so that each end and each index costs the same at any length. */

/** Bytes that an element takes beside its own. */
const OVERHEAD = 30;

export class List {
  /** Its length is a power of two. */
  #ring: (string | undefined)[] = new Array(8);
  #first = 0;
  size = 0;
  /** An estimate. */
  bytes = 0;

  at(index: number): string | undefined {
    return index < 0 || index >= this.size ? undefined : this.#ring[this.#slot(index)];
  }

  push(end: 'left' | 'right', value: string): void {
    if (this.size === this.#ring.length) this.#resize(this.size * 2);
    this.size++;
    if (end === 'left') this.#first = this.#slot(-1);
    this.#ring[this.#slot(end === 'left' ? 0 : this.size - 1)] = value;
    this.bytes += value.length + OVERHEAD;
  }

  pop(end: 'left' | 'right'): string | undefined {
    if (this.size === 0) return undefined;
    const slot = this.#slot(end === 'left' ? 0 : this.size - 1);
    const value = this.#ring[slot]!;
    this.#ring[slot] = undefined;
    if (end === 'left') this.#first = this.#slot(1);
    this.size--;
    this.bytes -= value.length + OVERHEAD;
    if (this.#ring.length > 8 && this.size < this.#ring.length / 4) this.#resize(this.#ring.length / 2);
    return value;
  }

  /** The elements from index `from` to `to`, without `to`. */
  slice(from: number, to: number): string[] {
    const found: string[] = [];
    for (let i = from; i < to; i++) found.push(this.#ring[this.#slot(i)]!);
    return found;
  }

  #slot(index: number): number {
    return (this.#first + index) & (this.#ring.length - 1);
  }

  #resize(length: number): void {
    const values: (string | undefined)[] = this.slice(0, this.size);
    values.length = length;
    this.#ring = values;
    this.#first = 0;
  }
}
