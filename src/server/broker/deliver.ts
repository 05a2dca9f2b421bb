/** Brings one message to its subscribers: encoded anew for each kind of receiver, once for all that are alike. */
import { type Frame, Headers, type Version } from '../stomp/frame.ts';
import { serializeHead, serializeTail } from '../stomp/serializer.ts';
import type { Subscription } from './subscriptions.ts';

/** Who can be sent a frame. */
export interface Recipient {
  readonly version: Version;
  send(frame: Buffer): void;
}

/** Headers of SEND that are between the sender and the server, and those that only the server may set. */
export const NOT_PASSED_ON = new Set([
  'destination',
  'content-length',
  'receipt',
  'transaction',
  'subscription',
  'message-id',
  'ack',
]);

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
  const passedOn = new Headers([...frame.headers].filter(([name]) => !NOT_PASSED_ON.has(name)));
  const tails = new Map<Version, Buffer>();
  const messages = new Map<string, Buffer>();
  for (const { subscriber, id } of subscriptions) {
    const { version } = subscriber;
    const kind = id === undefined ? version : `${version} ${id}`;
    let message = messages.get(kind);
    if (!message) {
      const tail = tails.get(version) ?? serializeTail(passedOn, frame.body, version);
      tails.set(version, tail);
      const own = Headers.of({ destination, 'message-id': messageId, subscription: id });
      message = Buffer.concat([serializeHead('MESSAGE', own, version), tail]);
      messages.set(kind, message);
    }
    subscriber.send(message);
    delivered++;
  }
  return delivered;
}
