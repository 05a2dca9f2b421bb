/**
 * The `/queue/**` destinations of this node: each message is with one consumer, or waits for one, within bounds. Durable
 * queues and queues over several nodes are a broker's job. No timer: what is too old is dropped when it would be handed
 * out, or when its room is needed.
 */
import { Refusal } from '../refusal.ts';
import { quote } from '../stomp/protocol-error.ts';
import { Queue, type Queued } from './queue.ts';

export interface QueueLimits {
  /** Bytes of one queue's messages, waiting or unacknowledged. */
  maxQueue: number;
  /** Bytes of those of all queues. */
  maxQueues: number;
  /** Milliseconds that a message waits for a consumer; what it is with one doesn't count. */
  queueTtl: number;
}

/** How often a message may be refused before it is dropped: one that nobody can digest would circle for ever. */
export const MAX_NACKS = 10;

/** What the queues are given, so that they know no connection. */
export interface Surroundings<Consumer, Content> {
  limits: QueueLimits;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Whether a consumer can be given one more. */
  takes(consumer: Consumer): boolean;
  /** Hands a message out. @returns true when that is the end of it: nobody will acknowledge */
  give(message: Queued<Consumer, Content>, consumer: Consumer): boolean;
  /** Messages of a queue were lost, for the operator. */
  dropped(queue: string, count: number, why: string): void;
}

/** A message that is to be queued. */
export interface Offer {
  queue: string;
  /** Less than nothing for one that goes at the same time. */
  bytes: number;
}

export class Queues<Consumer extends object, Content> {
  readonly #surroundings: Surroundings<Consumer, Content>;
  readonly #queues = new Map<string, Queue<Consumer, Content>>();
  #bytes = 0;
  #order = 0;
  /** No message that waits is too old before that. */
  #nextEnd = Number.POSITIVE_INFINITY;

  constructor(surroundings: Surroundings<Consumer, Content>) {
    this.#surroundings = surroundings;
  }

  /** Bytes of all messages that wait or are with a consumer. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A consumer comes, and gets what has waited for one. */
  join(name: string, consumer: Consumer): void {
    this.#of(name).join(consumer);
    this.wake(name);
  }

  /** A consumer goes; what it had not acknowledged comes by `putBack`. */
  leave(name: string, consumer: Consumer): void {
    this.#queues.get(name)?.leave(consumer);
    this.#tidy(name);
  }

  /** Whether there is room for all of these. @throws Refusal when there isn't */
  check(offers: readonly Offer[]): void {
    const { maxQueue, maxQueues } = this.#surroundings.limits;
    const wanted = new Map<string, number>();
    let all = 0;
    for (const { queue, bytes } of offers) {
      wanted.set(queue, (wanted.get(queue) ?? 0) + bytes);
      all += bytes;
    }
    const full = [...wanted].find(([name, bytes]) => {
      if (bytes <= 0) return false;
      const queue = this.#queues.get(name);
      if (queue && queue.bytes + bytes > maxQueue) this.#expire(name, queue);
      return (this.#queues.get(name)?.bytes ?? 0) + bytes > maxQueue;
    });
    if (full) throw new Refusal(`the queue ${quote(full[0])} is full`, 'Its subscribers are too slow, or too few.');
    if (all <= 0 || this.#bytes + all <= maxQueues) return;
    this.#expireAll();
    if (this.#bytes + all > maxQueues) throw new Refusal('the queues of this node are full', 'Try again later.');
  }

  /** Queues a message, for which there is room. */
  push(name: string, id: string, content: Content, bytes: number): void {
    const queue = this.#of(name);
    this.#put(queue, { id, content, bytes, order: ++this.#order, endsAt: 0, nacks: 0, refusedBy: undefined });
    this.#count(queue, bytes);
    this.wake(name);
  }

  /** A message was acknowledged. */
  done(name: string, message: Queued<Consumer, Content>): void {
    this.#count(this.#of(name), -message.bytes);
    this.#tidy(name);
  }

  /** A consumer refused messages: they go to another if there is one, or again to this one, and not for ever. */
  refused(name: string, messages: readonly Queued<Consumer, Content>[], by: Consumer): void {
    const again = messages.filter((message) => {
      message.refusedBy = by;
      return ++message.nacks < MAX_NACKS;
    });
    const hopeless = messages.filter((message) => message.nacks >= MAX_NACKS);
    this.#drop(name, hopeless, `refused ${MAX_NACKS} times`);
    this.putBack(name, again);
  }

  /** What a consumer had, and never acknowledged, waits for the next one. */
  putBack(name: string, messages: readonly Queued<Consumer, Content>[]): void {
    const queue = this.#of(name);
    for (const message of messages) this.#put(queue, message);
    this.wake(name);
  }

  /** Hands out what its consumers take now. */
  wake(name: string): void {
    const queue = this.#queues.get(name);
    // What is handed out may end a session, which gives back what it had, and wakes this queue: one loop is enough.
    if (!queue || queue.busy) return;
    const { takes, give } = this.#surroundings;
    queue.busy = true;
    try {
      for (;;) {
        this.#expire(name, queue);
        const next = queue.next(takes);
        if (!next) break;
        if (give(...next)) this.#count(queue, -next[0].bytes);
      }
    } finally {
      queue.busy = false;
    }
    this.#tidy(name);
  }

  #of(name: string): Queue<Consumer, Content> {
    const queue = this.#queues.get(name) ?? new Queue();
    this.#queues.set(name, queue);
    return queue;
  }

  #expire(name: string, queue: Queue<Consumer, Content>): void {
    this.#drop(name, queue.expire(this.#surroundings.now()), 'nobody took them in time');
  }

  /** Looks at every queue, unless it is known that nothing is too old. */
  #expireAll(): void {
    if (this.#surroundings.now() < this.#nextEnd) return;
    this.#nextEnd = Number.POSITIVE_INFINITY;
    for (const [name, queue] of this.#queues) {
      this.#expire(name, queue);
      this.#nextEnd = Math.min(this.#nextEnd, queue.oldest?.endsAt ?? Number.POSITIVE_INFINITY);
    }
  }

  /** A message waits: a new one, or one that comes back. */
  #put(queue: Queue<Consumer, Content>, message: Queued<Consumer, Content>): void {
    const { now, limits } = this.#surroundings;
    message.endsAt = now() + limits.queueTtl;
    queue.push(message);
    this.#nextEnd = Math.min(this.#nextEnd, message.endsAt);
  }

  #drop(name: string, messages: readonly Queued<Consumer, Content>[], why: string): void {
    if (messages.length === 0) return;
    for (const { bytes } of messages) this.#count(this.#of(name), -bytes);
    this.#surroundings.dropped(name, messages.length, why);
    this.#tidy(name);
  }

  #count(queue: Queue<Consumer, Content>, bytes: number): void {
    queue.bytes += bytes;
    this.#bytes += bytes;
  }

  /** Forgets a queue that holds nothing and that nobody consumes. */
  #tidy(name: string): void {
    const queue = this.#queues.get(name);
    if (queue && !queue.busy && queue.bytes === 0 && queue.consumers === 0) this.#queues.delete(name);
  }
}
