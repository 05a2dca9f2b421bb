/** One queue: the messages that wait, and the consumers that take turns. Pure; the clock is the caller's. */

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

/** From how many spent places on the array is cut. */
const SPENT = 1024;

export class Queue<Consumer extends object, Content> {
  /** Bytes of the messages that wait or are with a consumer. */
  bytes = 0;
  /** Its messages are being handed out, further up the stack. */
  busy = false;
  #waiting: (Queued<Consumer, Content> | undefined)[] = [];
  /** Where the waiting ones begin: the places before are spent. */
  #start = 0;
  /** In the order of their turns: who got a message goes to the end. */
  readonly #consumers = new Set<Consumer>();

  get waiting(): number {
    return this.#waiting.length - this.#start;
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

  push(message: Queued<Consumer, Content>): void {
    this.#waiting.push(message);
  }

  /** Messages that had been handed out wait again, in their old places. */
  putBack(messages: readonly Queued<Consumer, Content>[]): void {
    const waiting = this.#waiting.slice(this.#start) as Queued<Consumer, Content>[];
    this.#waiting = [...messages, ...waiting].sort((a, b) => a.order - b.order);
    this.#start = 0;
  }

  /** Takes the messages at the head that are too old. */
  expire(now: number): Queued<Consumer, Content>[] {
    const expired: Queued<Consumer, Content>[] = [];
    while (this.waiting > 0 && this.#waiting[this.#start]!.endsAt <= now) expired.push(this.#shift());
    return expired;
  }

  /**
   * Takes the first message, if one of the consumers takes it: the next in turn, but the one that refused it only when
   * no other does.
   */
  next(takes: (consumer: Consumer) => boolean): [Queued<Consumer, Content>, Consumer] | undefined {
    const first = this.#waiting[this.#start];
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
    return [this.#shift(), chosen];
  }

  #shift(): Queued<Consumer, Content> {
    const message = this.#waiting[this.#start]!;
    this.#waiting[this.#start++] = undefined; // its body is not to be held
    if (this.#start >= SPENT && 2 * this.#start >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#start);
      this.#start = 0;
    } else if (this.#start === this.#waiting.length) {
      this.#waiting = [];
      this.#start = 0;
    }
    return message;
  }
}
