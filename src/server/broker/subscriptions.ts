/** Who subscribes to what, on this node. Generic over the subscriber, so that it knows no connection. */

/** 1.2 "SUBSCRIBE", header ack. */
export type AckMode = 'auto' | 'client' | 'client-individual';

export interface Subscription<Subscriber> {
  subscriber: Subscriber;
  destination: string;
  /** As the client named it; undefined for a 1.0 client that didn't. */
  id: string | undefined;
  ack: AckMode;
  /** The head of its MESSAGE frames, encoded once; a message to a user has another destination. */
  head: { destination: string; bytes: Buffer } | undefined;
}

export class Subscriptions<Subscriber extends object> {
  /** Those that acknowledge are apart: each gets a frame of its own, the others share theirs. */
  readonly #auto = new Map<string, Set<Subscription<Subscriber>>>();
  readonly #acking = new Map<string, Set<Subscription<Subscriber>>>();
  /** Per subscriber by id, or by destination where there is no id. */
  readonly #bySubscriber = new Map<Subscriber, Map<string, Subscription<Subscriber>>>();

  /** @returns false when this subscriber has a subscription of this id already */
  add(subscription: Subscription<Subscriber>): boolean {
    const { subscriber, destination } = subscription;
    const own = this.#bySubscriber.get(subscriber) ?? new Map<string, Subscription<Subscriber>>();
    const key = keyOf(subscription);
    if (own.has(key)) return false;
    own.set(key, subscription);
    this.#bySubscriber.set(subscriber, own);
    const index = this.#indexOf(subscription);
    const others = index.get(destination) ?? new Set();
    index.set(destination, others.add(subscription));
    return true;
  }

  /** @returns undefined when this subscriber has no subscription of this id */
  find(subscriber: Subscriber, id: string): Subscription<Subscriber> | undefined {
    return this.#bySubscriber.get(subscriber)?.get(keyOf({ id, destination: '' }));
  }

  remove(subscription: Subscription<Subscriber>): void {
    const { subscriber, destination } = subscription;
    const own = this.#bySubscriber.get(subscriber);
    own?.delete(keyOf(subscription));
    if (own?.size === 0) this.#bySubscriber.delete(subscriber);
    const index = this.#indexOf(subscription);
    const others = index.get(destination);
    others?.delete(subscription);
    if (others?.size === 0) index.delete(destination);
  }

  /** Those of ack mode auto, or those of the others. */
  of(destination: string, mode: 'auto' | 'acking'): Iterable<Subscription<Subscriber>> {
    return (mode === 'auto' ? this.#auto : this.#acking).get(destination) ?? [];
  }

  /** All of a subscriber, in the order they were made. */
  ofSubscriber(subscriber: Subscriber): Subscription<Subscriber>[] {
    return [...(this.#bySubscriber.get(subscriber)?.values() ?? [])];
  }

  count(subscriber: Subscriber): number {
    return this.#bySubscriber.get(subscriber)?.size ?? 0;
  }

  #indexOf({ ack }: Subscription<Subscriber>): Map<string, Set<Subscription<Subscriber>>> {
    return ack === 'auto' ? this.#auto : this.#acking;
  }
}

/** Ids and destinations are told apart, so that an id that looks like a destination hits nothing else. */
function keyOf({ id, destination }: { id: string | undefined; destination: string }): string {
  return id === undefined ? `destination ${destination}` : `id ${id}`;
}
