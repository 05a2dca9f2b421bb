/**
 * What one session was given and has not acknowledged (1.2 "ACK"). Pure: which deliveries an ACK means, and how many are
 * outstanding; what happens with them is the caller's.
 */

export interface Delivery<Subscription, Message> {
  /** For the header `ack` of 1.2: unique in the session. */
  readonly ack: string;
  /** Deliveries of a session, in the order they were made. */
  readonly order: number;
  readonly subscription: Subscription;
  readonly message: Message;
}

export class Unacked<Subscription extends object, Message extends { readonly id: string }> {
  /** Per open subscription, by message id, in the order of delivery. */
  readonly #bySubscription = new Map<Subscription, Map<string, Delivery<Subscription, Message>>>();
  readonly #byAck = new Map<string, Delivery<Subscription, Message>>();
  #given = 0;
  #outstanding = 0;

  /** Deliveries that are neither settled nor dropped, those that were taken among them. */
  get size(): number {
    return this.#outstanding;
  }

  /** A subscription that acknowledges begins. */
  open(subscription: Subscription): void {
    this.#bySubscription.set(subscription, new Map());
  }

  /** A message is given to an open subscription. */
  add(subscription: Subscription, message: Message): Delivery<Subscription, Message> {
    const order = ++this.#given;
    const delivery = { ack: String(order), order, subscription, message };
    this.#outstanding++;
    this.#put(delivery);
    return delivery;
  }

  /** 1.2: the header id of ACK matches the header ack of MESSAGE. */
  byAck(ack: string): Delivery<Subscription, Message> | undefined {
    return this.#byAck.get(ack);
  }

  /** 1.1: a message is named by its id and its subscription. */
  bySubscription(subscription: Subscription, messageId: string): Delivery<Subscription, Message> | undefined {
    return this.#bySubscription.get(subscription)?.get(messageId);
  }

  /** 1.0: by its message-id alone. Of several subscriptions that got it, the one that was opened first. */
  byMessage(messageId: string): Delivery<Subscription, Message> | undefined {
    for (const deliveries of this.#bySubscription.values()) {
      const delivery = deliveries.get(messageId);
      if (delivery) return delivery;
    }
    return undefined;
  }

  /**
   * Takes a delivery out, so that no other ACK means it; cumulatively also all that its subscription got before it. They
   * stay outstanding until they are settled or given back: a transaction decides later.
   * @returns in the order of delivery
   */
  take(delivery: Delivery<Subscription, Message>, cumulative: boolean): Delivery<Subscription, Message>[] {
    const deliveries = this.#bySubscription.get(delivery.subscription);
    const taken: Delivery<Subscription, Message>[] = [];
    for (const one of cumulative ? (deliveries?.values() ?? []) : [delivery]) {
      if (one.order > delivery.order) break;
      taken.push(one);
    }
    for (const one of taken) {
      deliveries?.delete(one.message.id);
      this.#byAck.delete(one.ack);
    }
    return taken;
  }

  /** What was taken is over. */
  settle(taken: readonly Delivery<Subscription, Message>[]): void {
    this.#outstanding -= taken.length;
  }

  /**
   * What was taken can be acknowledged again, in its old place.
   * @returns those whose subscription is gone in the meantime: they are over here
   */
  giveBack(taken: readonly Delivery<Subscription, Message>[]): Delivery<Subscription, Message>[] {
    const orphans = taken.filter(({ subscription }) => !this.#bySubscription.has(subscription));
    this.settle(orphans);
    for (const subscription of new Set(taken.map((one) => one.subscription))) {
      const left = this.#bySubscription.get(subscription);
      if (!left) continue;
      const all = [...taken.filter((one) => one.subscription === subscription), ...left.values()];
      left.clear();
      for (const one of all.sort((a, b) => a.order - b.order)) this.#put(one);
    }
    return orphans;
  }

  /** A subscription ends. @returns what it had not acknowledged, but for what was taken */
  drop(subscription: Subscription): Delivery<Subscription, Message>[] {
    const dropped = [...(this.#bySubscription.get(subscription)?.values() ?? [])];
    this.#bySubscription.delete(subscription);
    for (const { ack } of dropped) this.#byAck.delete(ack);
    this.settle(dropped);
    return dropped;
  }

  #put(delivery: Delivery<Subscription, Message>): void {
    this.#bySubscription.get(delivery.subscription)?.set(delivery.message.id, delivery);
    this.#byAck.set(delivery.ack, delivery);
  }
}
