/** The queues, and who consumes them: whether one takes a message now, and what becomes of it when it isn't acknowledged. */
import type { Frame } from '../stomp/frame.ts';
import type { Client, Sub } from './client.ts';
import { Clogged } from './clogged.ts';
import type { Desk, Held, Send } from './desk.ts';
import type { Distribution } from './distribution.ts';
import { weightOf } from './limits.ts';
import type { Queued } from './queue.ts';
import { type QueueLimits, Queues } from './queues.ts';
import type { Delivery } from './unacked.ts';

/** Deliveries to one session. */
type All = readonly Delivery<Sub, Held<Sub>>[];

export class QueueSide {
  readonly #queues: Queues<Sub, Frame>;
  readonly #desks: ReadonlyMap<Client, Desk<Sub>>;
  /** Queues that wait for a clogged consumer. */
  readonly #clogged = new Clogged((names) => this.wake(names));

  /**
   * @param desks of those that acknowledge
   * @param dropped is told when messages of a queue are lost
   */
  constructor(
    limits: QueueLimits,
    distribution: Distribution,
    desks: ReadonlyMap<Client, Desk<Sub>>,
    dropped: (queue: string, count: number, why: string) => void,
  ) {
    this.#desks = desks;
    this.#queues = new Queues({
      limits,
      now: () => performance.now(),
      takes: (consumer) => this.#takes(consumer),
      give: (queued, consumer) => distribution.toOne(queued.content, consumer, { id: queued.id, queued }),
      dropped,
    });
  }

  /**
   * Whether there is room for all of these that are to queues.
   * @param acknowledged makes room with them
   * @throws Refusal when there isn't
   */
  check(sends: readonly Send[], acknowledged: All = []): void {
    const comes = sends.flatMap(({ target, frame }) =>
      target.kind === 'queue' ? [{ queue: target.name, bytes: weightOf(frame) }] : [],
    );
    const goes = acknowledged.flatMap(({ subscription, message }) =>
      message.queued ? [{ queue: subscription.destination, bytes: -message.queued.bytes }] : [],
    );
    this.#queues.check([...comes, ...goes]);
  }

  /** Queues a message, for which there is room. */
  push(name: string, id: string, frame: Frame): void {
    this.#queues.push(name, id, frame, weightOf(frame));
  }

  join(consumer: Sub): void {
    this.#queues.join(consumer.destination, consumer);
  }

  /** What it had not acknowledged is `lost`. */
  leave(consumer: Sub): void {
    this.#queues.leave(consumer.destination, consumer);
  }

  /** Looks whether these queues have somebody to give to. */
  wake(destinations: readonly string[]): void {
    for (const name of new Set(destinations)) this.#queues.wake(name);
  }

  acknowledged(all: All): void {
    for (const { subscription, message } of all) {
      if (message.queued) this.#queues.done(subscription.destination, message.queued);
    }
  }

  refused(all: All): void {
    for (const [consumer, messages] of byConsumer(all)) {
      this.#queues.refused(consumer.destination, messages, consumer);
    }
  }

  /** Whoever had them is gone. */
  lost(all: All): void {
    for (const [{ destination }, messages] of byConsumer(all)) this.#queues.putBack(destination, messages);
  }

  #takes({ subscriber, ack, destination }: Sub): boolean {
    if (ack !== 'auto' && this.#desks.get(subscriber)?.full) return false;
    if (!subscriber.clogged) return true;
    this.#clogged.add(destination);
    return false;
  }
}

/** Those of queues; of other destinations they were copies, and are forgotten. */
function byConsumer(all: All): Map<Sub, Queued<Sub, Frame>[]> {
  const found = new Map<Sub, Queued<Sub, Frame>[]>();
  for (const { subscription, message } of all) {
    if (!message.queued) continue;
    const messages = found.get(subscription) ?? [];
    messages.push(message.queued);
    found.set(subscription, messages);
  }
  return found;
}
