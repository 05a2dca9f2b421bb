/** A WebSocket on which every event can be waited for, and which reads what the server says as little as it must. */
import { WebSocket } from 'ws';
import type { Message } from './mutate.ts';

/** A frame of the server; values are as on the wire. */
export interface Told {
  command: string;
  header(name: string): string | undefined;
}

export class Wire {
  readonly #socket: WebSocket;
  readonly #told: (told: Told) => void;
  #wake: () => void = () => {};
  #pongs = 0;
  #pings = 0;
  open = false;
  /** How it was closed. */
  code: number | undefined;

  /** @param told is called with each frame of the server */
  constructor(url: string, told: (told: Told) => void) {
    this.#told = told;
    this.#socket = new WebSocket(url, { perMessageDeflate: false });
    this.#socket.on('open', () => this.#event(() => (this.open = true)));
    this.#socket.on('message', (data: Buffer) => this.#event(() => this.#read(data)));
    this.#socket.on('pong', () => this.#event(() => this.#pongs++));
    this.#socket.on('close', (code) => this.#event(() => (this.code = code)));
    this.#socket.on('error', () => {});
  }

  send({ fragments, binary }: Message): void {
    fragments.forEach((fragment, i) => {
      this.#socket.send(fragment, { binary, fin: i === fragments.length - 1 });
    });
  }

  text(frame: string): void {
    this.#socket.send(frame);
  }

  /** Waits until the server has read what was sent, or the end. */
  async read(patience: number): Promise<void> {
    const ping = ++this.#pings;
    this.#socket.ping();
    await this.until(() => this.#pongs >= ping || this.code !== undefined, patience, 'the pong');
  }

  /** Waits until it holds; looks at each event. */
  async until(holds: () => boolean, patience: number, what: string): Promise<void> {
    const end = performance.now() + patience;
    while (!holds()) {
      const left = end - performance.now();
      if (left <= 0) throw new Error(`waited ${patience} ms in vain for ${what}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  destroy(): void {
    this.#socket.terminate();
  }

  #event(happened: () => void): void {
    happened();
    this.#wake();
  }

  /** The server sends one frame in a message, or a heart-beat. */
  #read(message: Buffer): void {
    const end = message.indexOf('\n\n');
    if (end === -1) return;
    const [command = '', ...lines] = message.toString('utf8', 0, end).split('\n');
    this.#told({
      command,
      header: (name) => lines.find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1),
    });
  }
}
