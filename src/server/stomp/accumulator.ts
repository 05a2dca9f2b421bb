const EMPTY: Buffer = Buffer.alloc(0);

/**
 * Octets of a line or a body that arrive in pieces. The buffer doubles, so pieces of one octet cost linear time, and no
 * more than twice of what arrived is ever allocated, whatever length was announced.
 */
export class Accumulator {
  #buffer = EMPTY;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The octet that came last, undefined when empty. */
  get last(): number | undefined {
    return this.#buffer[this.#length - 1];
  }

  /** Copies `bytes` from `from` up to `to`. */
  append(bytes: Buffer, from: number, to: number): void {
    const length = this.#length + to - from;
    if (length > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, 2 * this.#length));
      this.#buffer.copy(grown, 0, 0, this.#length);
      this.#buffer = grown;
    }
    bytes.copy(this.#buffer, this.#length, from, to);
    this.#length = length;
  }

  /** Hands out what was gathered and starts anew. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#length);
    this.#buffer = EMPTY;
    this.#length = 0;
    return taken;
  }
}
