/**
 * What a command answers, and how it looks in RESP2: https://redis.io/docs/latest/develop/reference/protocol-spec/
 *
 * Keys, members and values are bytes. Everywhere in this folder they are strings of one byte a character (latin1): V8
 * keeps those in one byte each, compares them as memcmp does, and they can be keys and set members, which Buffers
 * can't.
 */

/** A simple string, like OK. */
export class Status {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** An error reply. `message` begins with its code: `ERR …`, `WRONGTYPE …`. Handlers throw it. */
export class Fault extends Error {}

/** What a command that adds is told when memory is full. */
export const FULL = "OOM command not allowed when used memory > 'maxmemory'.";

/** The nil of commands that otherwise answer a list. */
export const NIL_LIST = Symbol('nil list');

/** Several replies to one command: SUBSCRIBE answers each channel by itself. */
export class Several {
  readonly replies: readonly Reply[];
  constructor(replies: readonly Reply[]) {
    this.replies = replies;
  }
}

/** RESP that is made already: EXEC's, made while its commands run. */
export class Encoded {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** What isn't made of other replies. A string is a bulk string, null the nil. */
type Single = number | bigint | string | null | typeof NIL_LIST | Status | Fault | Encoded;
export type Reply = Single | Several | readonly Reply[];

export const OK = new Status('OK');
export const QUEUED = new Status('QUEUED');

/** RESP; a reply of more than `most` bytes is the error that says so. */
export function encode(reply: Reply, most = Infinity): string {
  if (isSingle(reply)) {
    const text = encodeSingle(reply);
    if (text.length <= most) return text;
  }
  return new Encoder(most).add(reply).text;
}

/** Short pieces that are joined at a time, and how long they are at most: a chain of a million `+=` takes V8 ten times the bytes that it stands for. */
const JOINED = 1000;

/** RESP in the making, which is dropped at the first byte too many. */
export class Encoder {
  readonly #most: number;
  #left: number;
  #text = '';
  #pieces: string[] = [];

  constructor(most: number) {
    this.#most = most;
    this.#left = most;
  }

  /** Nothing more is taken. */
  get full(): boolean {
    return this.#left < 0;
  }

  add(reply: Reply): this {
    if (isSingle(reply)) return this.#put(encodeSingle(reply));
    const items = reply instanceof Several ? reply.replies : this.begin(reply.length) && reply;
    for (const item of items) {
      if (this.full) break;
      this.add(item);
    }
    return this;
  }

  /** The head of a list, whose items are added next. */
  begin(length: number): this {
    return this.#put(`*${length}\r\n`);
  }

  /** The whole reply, or the error that it is too big. */
  get text(): string {
    if (this.full) {
      const what = `ERR reply too big: more than ${this.#most} bytes`;
      return encodeSingle(new Fault(`${what}. Ask for less at a time; what the command changes has changed`));
    }
    return this.#text + this.#pieces.join('');
  }

  #put(text: string): this {
    this.#left -= text.length;
    if (this.full) {
      this.#text = '';
      this.#pieces = [];
    } else if (text.length > JOINED) {
      this.#text += this.#pieces.join('') + text; // what is long isn't copied
      this.#pieces = [];
    } else if (this.#pieces.push(text) === JOINED) {
      this.#text += this.#pieces.join('');
      this.#pieces = [];
    }
    return this;
  }
}

const isSingle = (reply: Reply): reply is Single => !Array.isArray(reply) && !(reply instanceof Several);

function encodeSingle(reply: Single): string {
  if (typeof reply === 'string') return `$${reply.length}\r\n${reply}\r\n`;
  if (typeof reply === 'number') return `:${Number.isSafeInteger(reply) ? reply : BigInt(reply)}\r\n`;
  if (typeof reply === 'bigint') return `:${reply}\r\n`;
  if (reply === null) return '$-1\r\n';
  if (reply === NIL_LIST) return '*-1\r\n';
  if (reply instanceof Status) return `+${reply.text}\r\n`;
  if (reply instanceof Encoded) return reply.text;
  return `-${reply.message.replace(/[\r\n]+$/, '').replace(/[\r\n]/g, ' ')}\r\n`;
}
