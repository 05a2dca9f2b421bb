/** One queue: the messages that wait, and the consumers that take turns. Pure; the clock is the caller's. */
import { Heap } from '../../common/heap.ts';

/** A message in a queue, from SEND until it is acknowledged or dropped. */
export interface Queued<Consumer, Content> {
  readonly id: string;
  readonly content: Content;
  /** What it counts for. */
  readonly bytes: number;
  /** Its place: those that come back stand before those that came later. */
  readonly order: number;
  /** When it is too old, in ms. */
  readonly endsAt: number;
  /** How often it was refused. */
  nacks: number;
  /** Who refused it last. */
  refusedBy: Consumer | undefined;
}

export class Queue<Consumer extends object, Content> {
  /** Bytes of the messages that wait or are with a consumer. */
  bytes = 0;
  /** Its messages are being handed out, further up the stack. */
  busy = false;
  readonly #waiting = new Heap<Queued<Consumer, Content>>((one, other) => one.order < other.order);
  /** In the order of their turns: who got a message goes to the end. */
  readonly #consumers = new Set<Consumer>();

  /** The next to be handed out, which is the oldest. */
  get first(): Queued<Consumer, Content> | undefined {
    return this.#waiting.first;
  }

  get consumers(): number {
    return this.#consumers.size;
  }

  join(consumer: Consumer): void {
    this.#consumers.add(consumer);
  }

  leave(consumer: Consumer): void {
    this.#consumers.delete(consumer);
  }

  /** A message waits: a new one behind the others, one that had been handed out in its old place. */
  push(message: Queued<Consumer, Content>): void {
    this.#waiting.push(message);
  }

  /** Takes the messages at the head that are too old. */
  expire(now: number): Queued<Consumer, Content>[] {
    const expired: Queued<Consumer, Content>[] = [];
    for (let { first } = this; first && first.endsAt <= now; first = this.first) {
      expired.push(first);
      this.#waiting.shift();
    }
    return expired;
  }

  /**
   * Takes the first message, if one of the consumers takes it: the next in turn, but the one that refused it only when
   * no other does.
   */
  next(takes: (consumer: Consumer) => boolean): [Queued<Consumer, Content>, Consumer] | undefined {
    const { first } = this;
    if (!first) return undefined;
    let chosen: Consumer | undefined;
    for (const consumer of this.#consumers) {
      if (!takes(consumer)) continue;
      chosen = consumer;
      if (consumer !== first.refusedBy) break;
    }
    if (chosen === undefined) return undefined;
    this.#consumers.delete(chosen);
    this.#consumers.add(chosen);
    this.#waiting.shift();
    return [first, chosen];
  }
}
