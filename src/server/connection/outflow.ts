/**
 * The writing side of a connection. A socket is given so much and no more before the client has taken it; the rest waits
 * here, in its order, and holds up those who send it. A client for which too much waits is cut.
 */
import type { Message, Transport } from '../transport/transport.ts';
import type { BackPressure, Receiver } from './back-pressure.ts';
import { Backlog } from './backlog.ts';

export class Outflow implements Receiver {
  readonly counters = { frames: 0, octets: 0 };
  readonly #transport: Transport;
  readonly #backPressure: BackPressure;
  readonly #maxBuffer: number;
  readonly #overfull: () => void;
  readonly #backlog = new Backlog();
  /** The socket has enough. */
  #isBehind = false;
  /** The transport will say when it has nothing left. */
  #isWatched = false;
  #drained: (() => void)[] = [];

  /**
   * @param maxBuffer bytes that may wait here
   * @param overfull more do; they are lost
   */
  constructor(transport: Transport, backPressure: BackPressure, maxBuffer: number, overfull: () => void) {
    this.#transport = transport;
    this.#backPressure = backPressure;
    this.#maxBuffer = maxBuffer;
    this.#overfull = overfull;
  }

  /** So much waits that what can wait elsewhere should. */
  get clogged(): boolean {
    return this.#transport.buffered + this.#backlog.bytes > this.#maxBuffer / 2;
  }

  /** Its senders wait for it: until when. */
  get waitedFor(): Promise<void> | undefined {
    return this.#backPressure.waitFor(this);
  }

  /** It is known whose it is. */
  opened(owner: string): void {
    this.#backPressure.come(this, owner);
  }

  /** Nothing more is sent. */
  ended(owner: string): void {
    this.#backPressure.leave(this, owner);
  }

  get taken(): number {
    return this.#transport.taken;
  }

  /** Calls back once, when nothing waits for the client any more, or when the socket is gone. */
  onDrained(drained: () => void): void {
    this.#drained.push(drained);
    this.#watch();
  }

  /** Sends a frame behind all others. */
  send(frame: Buffer | Message): void {
    this.counters.frames++;
    if (this.#isBehind) {
      this.#backlog.push(frame);
      if (this.#backlog.bytes > this.#maxBuffer) {
        this.#backlog.clear();
        this.#overfull();
        return;
      }
    } else {
      this.write(frame);
      if (this.#hasRoom()) return;
      this.#isBehind = true;
      this.#watch();
    }
    this.#backPressure.meet(this);
  }

  /** Sends something at once. */
  write(bytes: Buffer | Message): void {
    this.counters.octets += bytes.length;
    this.#transport.send(bytes);
  }

  /** What is sent from here on comes soon: of what waits no more than half of `maxBuffer` goes before. */
  finish(): void {
    while (this.#backlog.size > 0 && this.#transport.buffered <= this.#maxBuffer / 2) this.write(this.#backlog.shift());
    this.#backlog.clear();
    this.#isBehind = false;
  }

  #hasRoom(): boolean {
    const { mark } = this.#backPressure;
    if (this.#transport.buffered <= mark) return true;
    this.#transport.flush(); // what only waits for the end of the turn says nothing about the client
    return this.#transport.buffered <= mark;
  }

  #watch(): void {
    if (this.#isWatched) return;
    this.#isWatched = true;
    this.#transport.onDrained(() => this.#goOn());
  }

  /** The client has taken all that the socket was given. */
  #goOn(): void {
    this.#isWatched = false;
    if (this.#backlog.size > 0) {
      const most = this.counters.octets + this.#backPressure.mark;
      let hasRoom: boolean;
      do {
        this.write(this.#backlog.shift()); // one at least: it comes to an end whatever the transport says
        hasRoom = this.#hasRoom();
      } while (hasRoom && this.#backlog.size > 0 && this.counters.octets < most);
      if (!hasRoom || this.#backlog.size === 0) this.#watch();
      else {
        // A client that takes everything at once gets it in several turns of the event loop: the others have theirs.
        this.#isWatched = true;
        setImmediate(() => this.#goOn());
      }
      return;
    }
    this.#isBehind = false;
    const drained = this.#drained;
    this.#drained = [];
    for (const tell of drained) tell();
  }
}
