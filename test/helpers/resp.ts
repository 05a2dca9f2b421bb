/** A bare RESP2 client over a socket, so that replies are compared to the letter: type byte and all. */
import { connect, type Socket } from 'node:net';

/** A reply with its type: `+OK`, `-ERR …`, `:1`, `$text`, `$nil`, `*nil`, or a list of them. */
export type Raw = string | Raw[];

export class RawClient {
  readonly socket: Socket;
  #buffer = Buffer.alloc(0) as Buffer;
  readonly #waiting: ((reply: Raw) => void)[] = [];
  /** Replies that nobody asked for: pub/sub. */
  readonly pushed: Raw[] = [];
  readonly closed: Promise<void>;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('error', () => {});
    this.socket.on('data', (bytes) => this.#read(bytes));
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()));
  }

  static async open(port: number, password?: string): Promise<RawClient> {
    const client = new RawClient(port);
    if (password !== undefined) await client.call('AUTH', password);
    return client;
  }

  /** @param words latin1 */
  call(...words: string[]): Promise<Raw> {
    return this.send(request(words));
  }

  async all(commands: readonly string[][]): Promise<Raw[]> {
    const replies = commands.map(() => this.#next());
    this.socket.write(commands.map(request).join(''), 'latin1');
    return Promise.all(replies);
  }

  /** Sends bytes as they are, and gives the next reply. */
  send(text: string): Promise<Raw> {
    const reply = this.#next();
    this.socket.write(text, 'latin1');
    return reply;
  }

  close(): void {
    this.socket.destroy();
  }

  #next(): Promise<Raw> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #read(bytes: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    let at = 0;
    for (;;) {
      const parsed = parse(this.#buffer, at);
      if (!parsed) break;
      at = parsed.end;
      const waiting = this.#waiting.shift();
      if (waiting) waiting(parsed.reply);
      else this.pushed.push(parsed.reply);
    }
    this.#buffer = this.#buffer.subarray(at);
  }
}

export const request = (words: readonly string[]): string =>
  `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;

function parse(bytes: Buffer, at: number): { reply: Raw; end: number } | undefined {
  const lineEnd = bytes.indexOf('\r\n', at);
  if (lineEnd < 0) return undefined;
  const line = bytes.toString('latin1', at, lineEnd);
  const length = Number(line.slice(1));
  let end = lineEnd + 2;
  if (line[0] === '$') {
    if (length < 0) return { reply: '$nil', end };
    if (bytes.length < end + length + 2) return undefined;
    return { reply: `$${bytes.toString('latin1', end, end + length)}`, end: end + length + 2 };
  }
  if (line[0] !== '*') return { reply: line, end };
  if (length < 0) return { reply: '*nil', end };
  const list: Raw[] = [];
  for (let i = 0; i < length; i++) {
    const item = parse(bytes, end);
    if (!item) return undefined;
    list.push(item.reply);
    end = item.end;
  }
  return { reply: list, end };
}
