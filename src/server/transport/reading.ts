/** How a socket is read beside `ws`: fairly to other sockets, and with an eye on messages that are not whole yet. */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';

/** Octets that Node reads in one go; where that many came, more may wait. */
const FULL = 64 * 1024;
/** The opcodes from here on are of control frames (RFC 6455, 5.2). */
const CONTROL = 0x8;

/**
 * Lets others have their turn after each full read. Node reads one busy socket up to 32 times in a row, 2 MiB: of pings
 * that is seconds of work.
 */
export function readFairly(ws: WebSocket, socket: Duplex): { pause(): void; resume(): void } {
  let [held, resting] = [false, false];
  socket.on('data', (chunk: Buffer) => {
    if (chunk.length < FULL || resting) return;
    resting = true;
    ws.pause();
    setImmediate(() => {
      resting = false;
      if (!held) ws.resume();
    });
  });
  return {
    pause() {
      held = true;
      ws.pause();
    },
    resume() {
      held = false;
      if (!resting) ws.resume();
    },
  };
}

/**
 * Tells which octets are of messages, by the headers of the frames that they come in (RFC 6455, 5.2). `ws` tells of whole
 * messages only, and a long one on a slow line is a sign of life for as long as it comes (STOMP 1.2 "Heart-beating": any
 * data). Pings and pongs are the socket's, not the client's.
 */
export class DataWatch {
  readonly #header = Buffer.alloc(14);
  /** Octets of the header that are there. */
  #have = 0;
  /** Octets of the payload that are to come. */
  #left = 0;
  #isData = false;

  /** @returns whether some of these octets are the payload of a data frame */
  push(chunk: Buffer): boolean {
    let [at, seen] = [0, false];
    while (at < chunk.length) {
      if (this.#left > 0) {
        const taken = Math.min(this.#left, chunk.length - at);
        seen ||= this.#isData;
        this.#left -= taken;
        at += taken;
      } else {
        this.#header[this.#have++] = chunk[at++]!;
        if (this.#have >= 2 && this.#have === headerSize(this.#header)) this.#begin();
      }
    }
    return seen;
  }

  #begin(): void {
    const length = this.#header[1]! & 0x7f;
    this.#left =
      length < 126
        ? length
        : length === 126
          ? this.#header.readUInt16BE(2)
          : this.#header.readUInt32BE(2) * 2 ** 32 + this.#header.readUInt32BE(6);
    this.#isData = (this.#header[0]! & 0xf) < CONTROL;
    this.#have = 0;
  }
}

/** Octets of a header that begins with these two: the length may take more, a mask takes four. */
function headerSize(header: Buffer): number {
  const length = header[1]! & 0x7f;
  return 2 + (length < 126 ? 0 : length === 126 ? 2 : 8) + ((header[1]! & 0x80) === 0 ? 0 : 4);
}
