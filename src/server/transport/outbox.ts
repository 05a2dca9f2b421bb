/**
 * One way to write to a socket: what is sent to it in one turn of the event loop is joined into one write. A write costs
 * a system call, more than all the rest of a delivery (docs/decisions/0006-fan-out.md).
 */
import { join } from './framing.ts';
import type { Message } from './message.ts';

/** Bytes that wait for the end of the turn at most: beyond that they are written at once, and joined no more. */
const ENOUGH = 64 * 1024;

/** What an outbox writes to. */
export interface Sink {
  /** False once no more may be written: a close frame was the last (RFC 6455, 5.5.1). */
  readonly open: boolean;
  /** True while whole WebSocket frames may be written past `ws`: no compression, nothing that `ws` holds back. */
  readonly direct: boolean;
  /** WebSocket frames, to be written in one go. */
  write(chunks: readonly Buffer[]): void;
  /** One message by `ws` itself. */
  send(message: Message): void;
}

/** What all sockets of a server share: the end of the turn, and what was joined for the last of them. */
export class Turn {
  #waiting: Outbox[] = [];
  #joined: { messages: readonly Message[]; chunks: Buffer[] } | undefined;

  /** Calls the outbox at the end of this turn. */
  add(outbox: Outbox): void {
    if (this.#waiting.push(outbox) === 1) setImmediate(() => this.#end());
  }

  /** Joins messages; subscribers that are alike come one after the other, and share one buffer. */
  join(messages: readonly Message[]): readonly Buffer[] {
    if (!this.#joined || !same(this.#joined.messages, messages)) this.#joined = { messages, chunks: join(messages) };
    return this.#joined.chunks;
  }

  #end(): void {
    const outboxes = this.#waiting;
    this.#waiting = [];
    for (const outbox of outboxes) outbox.flush();
    this.#joined = undefined;
  }
}

export class Outbox {
  readonly #sink: Sink;
  readonly #turn: Turn;
  #messages: Message[] = [];
  /** It is among those that are called at the end of the turn. */
  #due = false;
  /** Bytes that wait here; what the socket holds isn't counted. */
  bytes = 0;
  /** Bytes that ever came here. */
  pushed = 0;

  constructor(sink: Sink, turn: Turn) {
    this.#sink = sink;
    this.#turn = turn;
  }

  push(message: Message): void {
    this.#messages.push(message);
    const { length } = message;
    this.bytes += length;
    this.pushed += length;
    if (this.bytes > ENOUGH) this.#write();
    else if (!this.#due) {
      this.#due = true;
      this.#turn.add(this);
    }
  }

  /** Writes what waits: at the end of the turn, before a close, or to see whether the client takes it. */
  flush(): void {
    this.#due = false;
    this.#write();
  }

  #write(): void {
    const messages = this.#messages;
    if (messages.length === 0) return;
    this.#messages = [];
    this.bytes = 0;
    if (!this.#sink.open) return;
    if (this.#sink.direct) this.#sink.write(this.#turn.join(messages));
    else for (const message of messages) this.#sink.send(message);
  }
}

function same(one: readonly Message[], other: readonly Message[]): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}
