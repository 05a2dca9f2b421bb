/** One message to one subscription that acknowledges. */
import { type Frame, Headers } from '../stomp/frame.ts';
import { serializeHead, serializeTail } from '../stomp/serializer.ts';
import { NOT_PASSED_ON, type Recipient } from './deliver.ts';
import type { Subscription } from './subscriptions.ts';

/**
 * As `deliver`, with the header `ack` for a client of 1.2 (1.2 "MESSAGE": what must be acknowledged has it). 1.1 and 1.0
 * acknowledge by message-id.
 */
export function deliverAcked(
  frame: Frame,
  messageId: string,
  ack: string,
  { subscriber, destination, id }: Subscription<Recipient>,
): void {
  const { version } = subscriber;
  const passedOn = new Headers([...frame.headers].filter(([name]) => !NOT_PASSED_ON.has(name)));
  const own = Headers.of({
    destination,
    'message-id': messageId,
    subscription: id,
    ack: version === '1.2' ? ack : undefined,
  });
  subscriber.send(
    Buffer.concat([serializeHead('MESSAGE', own, version), serializeTail(passedOn, frame.body, version)]),
  );
}
