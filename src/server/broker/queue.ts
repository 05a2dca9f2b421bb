/** One queue: the messages that wait, and the consumers that take turns. Pure; the clock is the caller's. */

import { Ageing } from '../../common/ageing.ts';
import { Heap } from '../../common/heap.ts';

/** A message in a queue, from SEND until it is acknowledged or dropped. */
export interface Queued<Consumer, Content> {
  readonly id: string;
  readonly content: Content;
  /** What it counts for. */
  readonly bytes: number;
  /** Its place: those that come back stand before those that came later. */
  readonly order: number;
  /** When it has waited for too long, in ms; set anew each time that it begins to wait. */
  endsAt: number;
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
  /** In their order; those that are not in `#ageing` any more are dropped, and only have to come to the head. */
  readonly #waiting = new Heap<Queued<Consumer, Content>>((one, other) => one.order < other.order);
  /** Those that wait. One that came back has an old place and is new here, so one behind it may be too old before it. */
  readonly #ageing = new Ageing<Queued<Consumer, Content>>();
  /** In the order of their turns: who got a message goes to the end. */
  readonly #consumers = new Set<Consumer>();

  /** What has waited longest, and so is too old before all others. */
  get oldest(): Queued<Consumer, Content> | undefined {
    return this.#ageing.oldest;
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

  /**
   * A message waits: a new one behind the others, one that had been handed out in its old place. None that waits already
   * may end later.
   */
  push(message: Queued<Consumer, Content>): void {
    this.#waiting.push(message);
    this.#ageing.add(message);
  }

  /** Takes the messages that are too old. */
  expire(now: number): Queued<Consumer, Content>[] {
    const expired: Queued<Consumer, Content>[] = [];
    for (let { oldest } = this; oldest && oldest.endsAt <= now; oldest = this.oldest) {
      expired.push(oldest);
      this.#ageing.delete(oldest);
    }
    return expired;
  }

  /**
   * Takes the first message, if one of the consumers takes it: the next in turn, but the one that refused it only when
   * no other does.
   */
  next(takes: (consumer: Consumer) => boolean): [Queued<Consumer, Content>, Consumer] | undefined {
    const first = this.#first();
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
    this.#ageing.delete(first);
    return [first, chosen];
  }

  #first(): Queued<Consumer, Content> | undefined {
    let { first } = this.#waiting;
    while (first && !this.#ageing.has(first)) {
      this.#waiting.shift();
      first = this.#waiting.first;
    }
    return first;
  }
}
