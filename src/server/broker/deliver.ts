/**
 * Brings one message to its subscribers: encoded anew for each version, once for all subscriptions of the same id, and
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

/**
 * Sends a MESSAGE to each subscription (1.2 "MESSAGE"). The application's headers pass through.
 * @param messageId unique on this server
 * @returns how many were sent
 */
export function deliver(
  frame: Frame,
  destination: string,
  messageId: string,
  subscriptions: Iterable<Subscription<Recipient>>,
): number {
  let delivered = 0;
  const headers = new Headers([
    ['message-id', messageId],
    ...[...frame.headers].filter(([name]) => !NOT_PASSED_ON.has(name)),
  ]);
  const versions = new Map<Version, Shared>();
  for (const subscription of subscriptions) {
    const { subscriber, id } = subscription;
    const { version } = subscriber;
    let shared = versions.get(version);
    if (!shared) {
      const tail = serializeTail(headers, frame.body, version);
      shared = { tail, text: isUtf8(tail), byId: new Map() };
      versions.set(version, shared);
    }
    let message = shared.byId.get(id);
    if (!message) {
      message = new Message(headOf(subscription, destination), shared.tail, shared.text);
      if (shared.byId.size < MAX_SHARED_IDS) shared.byId.set(id, message);
    }
    subscriber.send(message);
    delivered++;
  }
  return delivered;
}

function headOf(subscription: Subscription<Recipient>, destination: string): Buffer {
  if (subscription.head?.destination === destination) return subscription.head.bytes;
  const own = Headers.of({ destination, subscription: subscription.id });
  const bytes = serializeHead('MESSAGE', own, subscription.subscriber.version);
  subscription.head = { destination, bytes };
  return bytes;
}
