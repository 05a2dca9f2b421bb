/** What is sent: one whole STOMP frame, in two parts so that many receivers can share the second. */
import { isUtf8 } from 'node:buffer';

const NOTHING = Buffer.alloc(0);

export class Message {
  /** What differs from receiver to receiver: text of the server's own. */
  readonly head: Buffer;
  /** What they share; nobody changes it while it waits. */
  readonly tail: Buffer;
  /** All of it is valid UTF-8, so it may go as text (RFC 6455, 5.6). */
  readonly text: boolean;

  constructor(head: Buffer, tail: Buffer, text: boolean) {
    this.head = head;
    this.tail = tail;
    this.text = text;
  }

  /** A frame in one piece. */
  static of(frame: Buffer): Message {
    return new Message(frame, NOTHING, isUtf8(frame));
  }

  /** Octets. */
  get length(): number {
    return this.head.length + this.tail.length;
  }
}
