/** Messages between nodes: the channels that they go through. What is in them is the server's affair. */
import type { Ear, Listener } from '../store/listener.ts';
import type { Store } from '../store/store.ts';
import type { Keys } from './keys.ts';
import { unpackDetails } from './model.ts';

/** Who on a node is meant; each has a channel of its own, and a node listens to those that it has somebody for. */
export type Address =
  | { kind: 'topic'; name: string }
  | { kind: 'user'; user: string }
  | { kind: 'process'; incarnation: string }
  | { kind: 'all' };

export class Bus {
  readonly #store: Store;
  readonly #keys: Keys;

  constructor(store: Store, keys: Keys) {
    this.#store = store;
    this.#keys = keys;
  }

  channelOf(address: Address): string {
    switch (address.kind) {
      case 'topic':
        return this.#keys.toTopic(address.name);
      case 'user':
        return this.#keys.toUser(address.user);
      case 'process':
        return this.#keys.toProcess(address.incarnation);
      case 'all':
        return this.#keys.toAll;
    }
  }

  /** True while messages can be given away. */
  get ready(): boolean {
    return this.#store.ready;
  }

  /** Calls `listener` each time that messages can be given away again. */
  onReady(listener: () => void): void {
    this.#store.onReady(listener);
  }

  /** Gives messages to the nodes that listen, in this order, in one write. @throws WssessError */
  async publish(messages: readonly (readonly [channel: string, message: Buffer])[]): Promise<void> {
    await this.#store.batch(messages.map(([channel, message]) => ['PUBLISH', channel, message]));
  }

  /**
   * The process that has a session. One command: answers come in the order of the questions.
   * @returns undefined when none is known to
   * @throws WssessError
   */
  async processOf(session: string): Promise<string | undefined> {
    const packed = await this.#store.call<string | null>('GET', this.#keys.details(session));
    return packed === null ? undefined : unpackDetails(packed)?.incarnation;
  }

  /** @param channels from the beginning; others come and go @throws WssessError */
  listen(channels: readonly string[], ear: Ear): Promise<Listener> {
    return this.#store.listen(channels, ear);
  }
}
