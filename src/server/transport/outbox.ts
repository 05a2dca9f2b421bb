/**
 * One way to write to a socket: while sockets get several messages in a turn of the event loop, those are joined into
 * one write. A write costs a system call, more than all the rest of a delivery (docs/decisions/0006-fan-out.md).
 */
import { join } from './framing.ts';
import type { Message } from './message.ts';

/** Bytes that wait for the end of the turn at most: beyond that they are written at once, and joined no more. */
const ENOUGH = 64 * 1024;
/** Turns for which messages are joined after one in which a socket got two. */
const LATELY = 16;

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

/** What all sockets of a server share: the end of the turn, whether joining pays, and what was joined last. */
export class Turn {
  /** Outboxes remember the turn in which they were last used. */
  number = 0;
  /** Turns to come in which messages are joined. While no socket gets two in a turn, what is sent is written at once. */
  #joining = 0;
  #waiting: Outbox[] = [];
  #isDue = false;
  #joined: { messages: readonly Message[]; chunks: Buffer[] } | undefined;

  get joining(): boolean {
    return this.#joining > 0;
  }

  /** A socket gets a second message in this turn. */
  pays(): void {
    this.#joining = LATELY;
  }

  /** Something is sent in this turn: it will be ended. */
  begin(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => this.#end());
  }

  /** Calls the outbox at the end of this turn. */
  add(outbox: Outbox): void {
    this.#waiting.push(outbox);
    this.begin();
  }

  /** Joins messages; subscribers that are alike come one after the other, and share one buffer. */
  join(messages: readonly Message[]): readonly Buffer[] {
    if (!this.#joined || !same(this.#joined.messages, messages)) this.#joined = { messages, chunks: join(messages) };
    return this.#joined.chunks;
  }

  #end(): void {
    this.#isDue = false;
    this.number++;
    if (this.#joining > 0) this.#joining--;
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
  /** The number of the turn in which something was last sent. */
  #used = -1;
  /** Bytes that wait here; what the socket holds isn't counted. */
  bytes = 0;
  /** Bytes that ever came here. */
  pushed = 0;

  constructor(sink: Sink, turn: Turn) {
    this.#sink = sink;
    this.#turn = turn;
  }

  push(message: Message): void {
    const turn = this.#turn;
    const { length } = message;
    this.pushed += length;
    if (this.#used === turn.number) turn.pays();
    else {
      this.#used = turn.number;
      if (!turn.joining && this.#messages.length === 0 && this.#sink.open && this.#sink.direct) {
        turn.begin();
        this.#sink.write(turn.join([message]));
        return;
      }
    }
    this.#messages.push(message);
    this.bytes += length;
    if (this.bytes > ENOUGH) this.#write();
    else if (!this.#due) {
      this.#due = true;
      turn.add(this);
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
