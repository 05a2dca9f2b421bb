/** What a connection sees of its client: something to send to and to close, never a socket. */
export interface Transport {
  readonly ip: string;
  readonly port: number;
  /** As the client sent it, unescaped. */
  readonly userAgent: string | null;
  /** Bytes that wait for the client. */
  readonly buffered: number;
  /** Sends whole frames; the transport decides whether they go as text or binary. */
  send(frames: Buffer): void;
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
  /** The client broke the transport's own rules: announced too much, sent no UTF-8. `code` is what it is closed with. */
  fault(code: number): void;
  /** The socket is gone. */
  gone(): void;
}
