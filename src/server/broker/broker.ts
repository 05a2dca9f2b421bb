/** Takes messages and subscriptions, and brings the ones to the others. */
import { CLOSE, Refusal } from '../refusal.ts';
import type { Frame } from '../stomp/frame.ts';
import { quote } from '../stomp/protocol-error.ts';
import { deliver, type Recipient } from './deliver.ts';
import { parseDestination } from './destinations.ts';
import { Subscriptions } from './subscriptions.ts';

export class Broker {
  readonly #subscriptions = new Subscriptions<Recipient>();
  readonly #maxSubscriptions: number;
  readonly #incarnation: string;
  /** Since the start of the process: SEND frames that were accepted, MESSAGE frames that they became. */
  readonly counters = { messages_in: 0, messages_out: 0 };

  /**
   * @param incarnation makes message ids unique over restarts
   * @param maxSubscriptions of one connection
   */
  constructor(incarnation: string, maxSubscriptions: number) {
    this.#incarnation = incarnation;
    this.#maxSubscriptions = maxSubscriptions;
  }

  /** @throws Refusal for a destination that isn't served */
  send(destination: string, frame: Frame): void {
    const topic = served(destination);
    const id = `${this.#incarnation}-${++this.counters.messages_in}`;
    this.counters.messages_out += deliver(frame, topic, id, this.#subscriptions.of(topic));
  }

  /** @throws Refusal for a destination that isn't served, an id in use, too many subscriptions */
  subscribe(recipient: Recipient, destination: string, id: string | undefined): void {
    const topic = served(destination);
    if (this.#subscriptions.count(recipient) >= this.#maxSubscriptions) {
      throw new Refusal(`more than ${this.#maxSubscriptions} subscriptions`, 'Unsubscribe from some first.');
    }
    if (!this.#subscriptions.add({ subscriber: recipient, destination: topic, id })) {
      throw new Refusal(`the subscription ${quote(id ?? destination)} exists already`, '', CLOSE.protocol);
    }
  }

  /** @throws Refusal when there is no such subscription */
  unsubscribe(recipient: Recipient, id: string | undefined, destination: string | undefined): void {
    if (!this.#subscriptions.remove(recipient, id, destination)) {
      throw new Refusal(`there is no subscription ${quote(id ?? destination ?? '')}`, '', CLOSE.protocol);
    }
  }

  /** Its connection ended. */
  forget(recipient: Recipient): void {
    this.#subscriptions.forget(recipient);
  }

  destinationsOf(recipient: Recipient): string[] {
    return this.#subscriptions.destinationsOf(recipient);
  }
}

function served(destination: string): string {
  const parsed = parseDestination(destination);
  switch (parsed.kind) {
    case 'topic':
      return parsed.name;
    case 'absent':
      throw new Refusal(`${parsed.what} is not supported by this version of wssess`, 'Use /topic/….');
    case 'unknown':
      throw new Refusal(`the destination ${quote(destination)} is none of this server's`, 'Use /topic/….');
  }
}
