/**
 * A WebSocket as a Transport. Classes with accessors, not literals: each literal with a getter has a shape of its own to
 * V8, and reading a thousand of them costs a tenth of all that a delivery does.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { cutUtf8 } from '../../common/escape.ts';
import { Message } from './message.ts';
import { Outbox, type Sink, type Turn } from './outbox.ts';
import { readFairly } from './reading.ts';
import type { Transport } from './transport.ts';

/** Bytes of UTF-8 that fit a close frame beside its code (RFC 6455, 5.5.1). */
const MAX_CLOSE_REASON = 123;
/** Milliseconds for the client to answer a close frame, then the socket is cut. */
const CLOSE_TIMEOUT = 2000;

export class WebSocketTransport implements Transport {
  readonly ip: string;
  readonly port: number;
  readonly userAgent: string | null;
  readonly #ws: WebSocket;
  readonly #socket: Duplex;
  readonly #outbox: Outbox;
  readonly #close: WebSocket['close'];
  readonly #reading: ReturnType<typeof readFairly>;

  constructor(ws: WebSocket, socket: Duplex, request: IncomingMessage, turn: Turn) {
    const { remoteAddress = '', remotePort = 0 } = request.socket;
    this.ip = remoteAddress.replace(/^::ffff:(?=\d+\.)/, '');
    this.port = remotePort;
    this.userAgent = request.headers['user-agent'] ?? null;
    this.#ws = ws;
    this.#socket = socket;
    this.#outbox = new Outbox(new SocketSink(ws, socket), turn);
    this.#close = ws.close.bind(ws); // the door puts its own in that place
    this.#reading = readFairly(ws, socket);
  }

  get buffered(): number {
    return this.#outbox.bytes + this.#socket.writableLength;
  }

  get taken(): number {
    return this.#outbox.pushed - this.#outbox.bytes - this.#socket.writableLength;
  }

  send(frames: Buffer | Message): void {
    this.#outbox.push(Buffer.isBuffer(frames) ? Message.of(frames) : frames);
  }

  flush(): void {
    // One that is full would only be given more pieces to hold.
    if (!this.#socket.writableNeedDrain) this.#outbox.flush();
  }

  onDrained(drained: () => void): void {
    const socket = this.#socket;
    const done = () => {
      socket.off('drain', done).off('close', done);
      drained();
    };
    // Node says `drain` only if it had said to wait for it.
    if (socket.destroyed || !socket.writableNeedDrain) queueMicrotask(drained);
    else socket.once('drain', done).once('close', done);
  }

  close(code: number, reason: string): void {
    const ws = this.#ws;
    if (ws.readyState === ws.CLOSED) return;
    this.#reading.resume(); // the client's answer must be read
    this.answerClose(code, cutUtf8(reason, MAX_CLOSE_REASON));
    const cut = setTimeout(() => ws.terminate(), CLOSE_TIMEOUT);
    ws.once('close', () => clearTimeout(cut));
  }

  /** The closing handshake, ours or the answer to the client's: what was sent before goes before. */
  answerClose(code?: number, reason?: string | Buffer): void {
    this.#outbox.flush();
    this.#close(code, reason);
  }

  destroy(): void {
    this.#ws.terminate();
  }

  pause(): void {
    this.#reading.pause();
  }

  resume(): void {
    this.#reading.resume();
  }
}

/** What an outbox may do with a WebSocket and its socket. */
class SocketSink implements Sink {
  readonly #ws: WebSocket;
  readonly #socket: Duplex;
  /** None was agreed on in the handshake. */
  readonly #plain: boolean;

  constructor(ws: WebSocket, socket: Duplex) {
    this.#ws = ws;
    this.#socket = socket;
    this.#plain = ws.extensions === '';
  }

  get open(): boolean {
    return this.#ws.readyState === this.#ws.OPEN && this.#socket.writable;
  }

  get direct(): boolean {
    return this.#plain && this.#ws.bufferedAmount === this.#socket.writableLength;
  }

  write(chunks: readonly Buffer[]): void {
    const socket = this.#socket;
    if (chunks.length === 1) return void socket.write(chunks[0]);
    socket.cork();
    for (const chunk of chunks) socket.write(chunk);
    socket.uncork();
  }

  send({ head, tail, text }: Message): void {
    this.#ws.send(tail.length === 0 ? head : Buffer.concat([head, tail]), { binary: !text });
  }
}
