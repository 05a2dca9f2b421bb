/** What a connection sees of its client: something to send to and to close, never a socket. */
import type { Message } from './message.ts';

export type { Message };

export interface Transport {
  readonly ip: string;
  readonly port: number;
  /** As the client sent it, unescaped. */
  readonly userAgent: string | null;
  /** Bytes that wait for the client. */
  readonly buffered: number;
  /** Bytes that its socket has taken so far, framing apart: grows while the client reads. */
  readonly taken: number;
  /**
   * Sends whole frames, in the order of the calls; the transport decides whether they go as text or binary. They may
   * wait for the end of the event loop's turn, to be joined with others.
   */
  send(frames: Buffer | Message): void;
  /** Writes what waits for the end of the turn, now, if the socket takes it. */
  flush(): void;
  /** Calls back once, when nothing waits for the client any more, or when the socket is gone. */
  onDrained(drained: () => void): void;
  /** Closes after what was sent. The reason is cut to what a close frame holds. A client that doesn't answer is cut. */
  close(code: number, reason: string): void;
  /** Drops the socket at once. */
  destroy(): void;
  /** Stops and resumes reading, while a frame is being worked on. */
  pause(): void;
  resume(): void;
}

/** What a transport tells its connection. */
export interface Receiver {
  /** Bytes arrived, cut anywhere. */
  receive(bytes: Buffer): void;
  /** Something arrived of a message that isn't whole yet, or is: the client lives. */
  sign(): void;
  /** The client broke the transport's own rules: announced too much, sent no UTF-8. `code` is what it is closed with. */
  fault(code: number): void;
  /** The socket is gone. */
  gone(): void;
}
