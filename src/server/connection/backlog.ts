/** Frames that a client has no room for yet. What neighbours share, as the copies of one message do, counts once. */
import type { Message } from '../transport/transport.ts';

type Frame = Buffer | Message;

/** Bytes that a frame counts for beside its own. */
const OVERHEAD = 100;
/** From how many spent places on the array is cut. */
const SPENT = 1024;

export class Backlog {
  /** What the waiting frames hold. */
  bytes = 0;
  #frames: (Frame | undefined)[] = [];
  /** Where they begin: the places before are spent. */
  #start = 0;

  get size(): number {
    return this.#frames.length - this.#start;
  }

  push(frame: Frame): void {
    this.bytes += ownOf(frame) + sharedOf(frame, this.#frames.at(-1));
    this.#frames.push(frame);
  }

  /** Takes the first one; there is one. */
  shift(): Frame {
    const frame = this.#frames[this.#start]!;
    this.#frames[this.#start++] = undefined; // it is not to be held
    this.bytes -= ownOf(frame) + sharedOf(frame, this.#frames[this.#start]);
    if (this.#start === this.#frames.length) this.clear();
    else if (this.#start >= SPENT && 2 * this.#start >= this.#frames.length) {
      this.#frames = this.#frames.slice(this.#start);
      this.#start = 0;
    }
    return frame;
  }

  clear(): void {
    this.bytes = 0;
    this.#frames = [];
    this.#start = 0;
  }
}

function ownOf(frame: Frame): number {
  return OVERHEAD + (Buffer.isBuffer(frame) ? frame.length : frame.head.length);
}

/** What a frame holds and its neighbour doesn't hold already. */
function sharedOf(frame: Frame, neighbour: Frame | undefined): number {
  if (Buffer.isBuffer(frame)) return 0;
  const { tail } = frame;
  return neighbour && !Buffer.isBuffer(neighbour) && neighbour.tail === tail ? 0 : tail.length;
}
