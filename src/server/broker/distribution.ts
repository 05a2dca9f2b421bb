/** Brings messages to the subscriptions of this node. */
import type { Frame } from '../stomp/frame.ts';
import type { Addressees } from './addressees.ts';
import type { Client, Sub } from './client.ts';
import { Copies } from './copies.ts';
import type { Desk, Held } from './desk.ts';
import type { Target } from './destinations.ts';
import type { Shared } from './other-nodes.ts';
import { type Receivers, receiversOf } from './receivers.ts';
import type { Subscriptions } from './subscriptions.ts';

/** What it is given of the broker. */
export interface Surroundings {
  subscriptions: Subscriptions<Client>;
  addressees: Addressees<Client>;
  /** Of those that acknowledge, or have used a transaction. */
  desks: ReadonlyMap<Client, Desk<Sub>>;
  /** Messages that a session may leave unacknowledged. */
  maxUnacked: number;
}

export class Distribution {
  /** MESSAGE frames since the start of the process. */
  count = 0;
  readonly #surroundings: Surroundings;

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings;
  }

  /** To all whom it is for. */
  toAll(frame: Frame, target: Shared, id: string): void {
    const { auto, acking } = this.#receivers(target);
    const copies = new Copies(frame, target.name, id);
    let count = 0;
    for (const subscription of auto) {
      subscription.subscriber.send(copies.for(subscription));
      count++;
    }
    this.count += count;
    for (const subscription of acking) this.#hand(copies, subscription, { id });
  }

  /** A message of a queue, to one. @returns true when that is the end of it: nobody will acknowledge */
  toOne(frame: Frame, subscription: Sub, { id, queued }: Required<Held<Sub>>): boolean {
    const copies = new Copies(frame, subscription.destination, id);
    if (subscription.ack !== 'auto') {
      this.#hand(copies, subscription, { id, queued });
      return false;
    }
    subscription.subscriber.send(copies.for(subscription));
    this.count++;
    return true;
  }

  /**
   * Whether senders wait already for one of those who would get a message.
   * @returns when to ask again; undefined: nobody does
   */
  roomAt(target: Target): Promise<void> | undefined {
    // A queue gives nothing to who is behind.
    if (target.kind === 'queue' || target.kind === 'unserved') return undefined;
    for (const subscriptions of Object.values(this.#receivers(target))) {
      for (const { subscriber } of subscriptions) if (subscriber.waitedFor) return subscriber.waitedFor;
    }
    return undefined;
  }

  #receivers(target: Shared): Receivers<Client> {
    return receiversOf(target, this.#surroundings.subscriptions, this.#surroundings.addressees);
  }

  /** To a subscription that acknowledges. One that is not of a queue can't be left waiting: it is ended. */
  #hand(copies: Copies, subscription: Sub, held: Held<Sub>): void {
    const { subscriber } = subscription;
    const { desks, maxUnacked } = this.#surroundings;
    const desk = desks.get(subscriber);
    if (!desk) return; // it has just ended
    if (!held.queued && desk.full) {
      subscriber.overrun(
        `more than ${maxUnacked} messages without ACK`,
        'Acknowledge what arrives, or subscribe with ack:auto.',
      );
      return;
    }
    const { ack } = desk.unacked.add(subscription, held);
    this.count++;
    subscriber.send(copies.acked(subscription, ack));
  }
}
