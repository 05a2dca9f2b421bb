/** A WebSocket client that costs as little as can be, so that the servers are what is measured. */
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

/** Octets of every body: a number of eight digits, then filler. */
const BODY = 100;
const DIGITS = 8;
const FILLER = 'x'.charCodeAt(0);
const NUL = 0;
/** One buffer that all sockets read into: they are read one after the other. */
const INPUT = Buffer.allocUnsafe(64 * 1024);

export const bodyOf = (number: number): string => String(number).padStart(DIGITS, '0').padEnd(BODY, 'x');

/** Called with each message: the payload is `bytes` from `from` up to `to`. */
type OnMessage = (bytes: Buffer, from: number, to: number) => void;

export class Client {
  readonly #socket: Socket;
  #left: Buffer | undefined;
  #opened: () => void = () => {};
  #isOpen = false;
  onMessage: OnMessage = () => {};
  onGone: () => void = () => {};

  constructor(port: number) {
    const callback = (count: number) => {
      this.#read(INPUT.subarray(0, count));
      return true;
    };
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer: INPUT, callback },
    });
    this.#socket.on('error', () => {}).on('close', () => this.onGone());
    this.#socket.write(
      `GET /ws HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n` +
        'Sec-WebSocket-Protocol: v12.stomp\r\n\r\n',
    );
  }

  /** Resolves when the handshake is done. */
  open(): Promise<void> {
    return new Promise((resolve) => (this.#opened = resolve));
  }

  /** Sends one text message, those of one turn in one write. A mask of zeros leaves it as it is (RFC 6455, 5.3). */
  send(text: string): void {
    if (this.#socket.writableCorked === 0) {
      this.#socket.cork();
      setImmediate(() => this.#socket.uncork());
    }
    const payload = Buffer.from(text);
    const { length } = payload;
    const head = length < 126 ? [0x81, 0x80 | length] : [0x81, 0xfe, length >> 8, length & 0xff];
    this.#socket.write(Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload]));
  }

  /** Sends a message, and waits for the next one that comes. */
  ask(text: string): Promise<string> {
    const answer = new Promise<string>((resolve) => {
      this.onMessage = (bytes, from, to) => resolve(bytes.toString('utf8', from, to));
    });
    this.send(text);
    return answer;
  }

  close(): void {
    this.onGone = () => {};
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    const bytes = this.#left ? Buffer.concat([this.#left, chunk]) : chunk;
    let at = 0;
    if (!this.#isOpen) {
      const end = bytes.indexOf('\r\n\r\n');
      if (end === -1) {
        this.#left = Buffer.from(bytes);
        return;
      }
      at = end + 4;
      this.#isOpen = true;
      this.#opened();
    }
    for (;;) {
      if (bytes.length - at < 4) break;
      const short = bytes[at + 1]!;
      const from = short < 126 ? at + 2 : at + 4;
      const to = from + (short < 126 ? short : (bytes[at + 2]! << 8) | bytes[at + 3]!);
      if (short === 127) throw new Error('no message here is that long');
      if (to > bytes.length) break;
      this.onMessage(bytes, from, to);
      at = to;
    }
    this.#left = at < bytes.length ? Buffer.from(bytes.subarray(at)) : undefined;
  }
}

/** The number in a message, from its last octets: body, NUL, and the newline that some put behind it. */
export function numberIn(bytes: Buffer, from: number, to: number): number {
  const end = bytes[to - 1] === NUL ? to - 1 : to - 2;
  const body = end - BODY;
  if (body < from || bytes[end] !== NUL || bytes[end - 1] !== FILLER || bytes[body + DIGITS] !== FILLER) return -1;
  let number = 0;
  for (let i = body; i < body + DIGITS; i++) number = number * 10 + bytes[i]! - 48;
  return number;
}
