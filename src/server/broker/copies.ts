/**
 * One message as its subscribers get it: encoded anew for each version, once for all subscriptions of the same id, and
 * else with a tail that all share behind a head that is made once a subscription (docs/decisions/0006-fan-out.md).
 */
import { isUtf8 } from 'node:buffer';
import { type Frame, Headers, type Version } from '../stomp/frame.ts';
import { serializeHead, serializeTail } from '../stomp/serializer.ts';
import { Message } from '../transport/message.ts';
import type { Subscription } from './subscriptions.ts';

/** Who can be sent a frame. */
export interface Recipient {
  readonly version: Version;
  send(frame: Buffer | Message): void;
}

/** Headers of SEND that are between the sender and the server (a token is a secret), and those that only the server may set. */
export const NOT_PASSED_ON = new Set([
  'destination',
  'content-length',
  'receipt',
  'transaction',
  'Authorization',
  'subscription',
  'message-id',
  'ack',
]);

/** Ids that subscriptions are grouped by: where there are more, hardly two are the same. */
const MAX_SHARED_IDS = 16;

/** What the receivers of one version share. */
interface Shared {
  tail: Buffer;
  text: boolean;
  /** By subscription id; browser clients all have `sub-0`. */
  byId: Map<string | undefined, Message>;
}

export class Copies {
  readonly #destination: string;
  readonly #headers: Headers;
  readonly #body: Buffer;
  readonly #versions = new Map<Version, Shared>();

  /**
   * The application's headers pass through (1.2 "MESSAGE").
   * @param messageId unique on this server
   */
  constructor({ headers, body }: Pick<Frame, 'headers' | 'body'>, destination: string, messageId: string) {
    this.#destination = destination;
    this.#headers = new Headers([
      ['message-id', messageId],
      ...[...headers].filter(([name]) => !NOT_PASSED_ON.has(name)),
    ]);
    this.#body = body;
  }

  /** For a subscription that acknowledges nothing. */
  for(subscription: Subscription<Recipient>): Message {
    const { tail, text, byId } = this.#shared(subscription.subscriber.version);
    let message = byId.get(subscription.id);
    if (!message) {
      message = new Message(this.#headOf(subscription), tail, text);
      if (byId.size < MAX_SHARED_IDS) byId.set(subscription.id, message);
    }
    return message;
  }

  /**
   * For one that does: with the header `ack` for a client of 1.2 (1.2 "MESSAGE": what must be acknowledged has it). 1.1
   * and 1.0 acknowledge by message-id.
   */
  acked({ subscriber: { version }, id }: Subscription<Recipient>, ack: string): Message {
    const { tail, text } = this.#shared(version);
    const own = { destination: this.#destination, subscription: id, ack: version === '1.2' ? ack : undefined };
    return new Message(serializeHead('MESSAGE', Headers.of(own), version), tail, text);
  }

  #shared(version: Version): Shared {
    let shared = this.#versions.get(version);
    if (!shared) {
      const tail = serializeTail(this.#headers, this.#body, version);
      shared = { tail, text: isUtf8(tail), byId: new Map() };
      this.#versions.set(version, shared);
    }
    return shared;
  }

  #headOf(subscription: Subscription<Recipient>): Buffer {
    const destination = this.#destination;
    if (subscription.head?.destination === destination) return subscription.head.bytes;
    const own = Headers.of({ destination, subscription: subscription.id });
    const bytes = serializeHead('MESSAGE', own, subscription.subscriber.version);
    subscription.head = { destination, bytes };
    return bytes;
  }
}
