/** Who subscribes to what, on this node. Generic over the subscriber, so that it knows no connection. */

export interface Subscription<Subscriber> {
  subscriber: Subscriber;
  destination: string;
  /** As the client named it; undefined for a 1.0 client that didn't. */
  id: string | undefined;
}

export class Subscriptions<Subscriber extends object> {
  readonly #byDestination = new Map<string, Set<Subscription<Subscriber>>>();
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
    const others = this.#byDestination.get(destination) ?? new Set();
    this.#byDestination.set(destination, others.add(subscription));
    return true;
  }

  /** @returns false when there is no such subscription */
  remove(subscriber: Subscriber, id: string | undefined, destination = ''): boolean {
    const subscription = this.#bySubscriber.get(subscriber)?.get(keyOf({ id, destination }));
    if (subscription) this.#drop(subscription);
    return subscription !== undefined;
  }

  /** Removes all of a subscriber. */
  forget(subscriber: Subscriber): void {
    for (const subscription of this.#bySubscriber.get(subscriber)?.values() ?? []) this.#drop(subscription);
  }

  of(destination: string): Iterable<Subscription<Subscriber>> {
    return this.#byDestination.get(destination) ?? [];
  }

  /** The destinations of a subscriber, in the order of its subscriptions. */
  destinationsOf(subscriber: Subscriber): string[] {
    return [...(this.#bySubscriber.get(subscriber)?.values() ?? [])].map(({ destination }) => destination);
  }

  count(subscriber: Subscriber): number {
    return this.#bySubscriber.get(subscriber)?.size ?? 0;
  }

  #drop(subscription: Subscription<Subscriber>): void {
    const { subscriber, destination } = subscription;
    const own = this.#bySubscriber.get(subscriber);
    own?.delete(keyOf(subscription));
    if (own?.size === 0) this.#bySubscriber.delete(subscriber);
    const others = this.#byDestination.get(destination);
    others?.delete(subscription);
    if (others?.size === 0) this.#byDestination.delete(destination);
  }
}

/** Ids and destinations are told apart, so that an id that looks like a destination hits nothing else. */
function keyOf({ id, destination }: { id: string | undefined; destination: string }): string {
  return id === undefined ? `destination ${destination}` : `id ${id}`;
}
