/**
 * Slows down who sends to those that fall behind: a flood is read no faster than its receivers take it, instead of being
 * buffered for them. Only for a while: a receiver that stays behind must not hold up its neighbours, so it is let run
 * into the limit of its own buffer, and is cut there (cause `slow_consumer`).
 */
import type { Transport } from '../transport/transport.ts';

/** Bytes that may wait for a receiver before its senders do; less where --max-buffer is small. */
const MARK = 256 * 1024;
/** Milliseconds that senders wait for a receiver, each time that it falls behind. */
const PATIENCE = 500;

/** A receiver that is behind. */
interface Behind {
  /** It has taken everything, or is gone, or was waited for long enough. */
  over: Promise<void>;
  waitedFor: boolean;
}

export class BackPressure {
  readonly mark: number;
  readonly #behind = new WeakMap<Transport, Behind>();
  #met: Set<Behind> | undefined;

  /** @param maxBuffer bytes at which a receiver is cut */
  constructor(maxBuffer: number) {
    this.mark = Math.min(MARK, Math.floor(maxBuffer / 4));
  }

  /** Something was sent to a receiver for which more than `mark` waits. */
  meet(transport: Transport): void {
    const behind = this.#behind.get(transport) ?? this.#begin(transport);
    if (behind.waitedFor) this.#met?.add(behind);
  }

  /**
   * Does a sender's work, which may send to many, and none of it later.
   * @returns what it gave; and, if it met receivers that are behind, when there is room again
   */
  watch<T>(work: () => T): { result: T; room: Promise<void> | undefined } {
    const met = new Set<Behind>();
    this.#met = met;
    try {
      const result = work();
      const room = met.size === 0 ? undefined : Promise.all([...met].map(({ over }) => over)).then(() => {});
      return { result, room };
    } finally {
      this.#met = undefined;
    }
  }

  #begin(transport: Transport): Behind {
    const behind: Behind = { over: Promise.resolve(), waitedFor: true };
    behind.over = new Promise((resolve) => {
      const patience = setTimeout(() => {
        behind.waitedFor = false;
        resolve();
      }, PATIENCE);
      transport.onDrained(() => {
        clearTimeout(patience);
        this.#behind.delete(transport);
        resolve();
      });
    });
    this.#behind.set(transport, behind);
    return behind;
  }
}
