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

/** A string is a bulk string, null the nil. */
export type Reply = number | bigint | string | null | typeof NIL_LIST | Status | Fault | Several | readonly Reply[];

export const OK = new Status('OK');
export const QUEUED = new Status('QUEUED');

export function encode(reply: Reply): string {
  if (typeof reply === 'string') return `$${reply.length}\r\n${reply}\r\n`;
  if (typeof reply === 'number') return `:${Number.isSafeInteger(reply) ? reply : BigInt(reply)}\r\n`;
  if (typeof reply === 'bigint') return `:${reply}\r\n`;
  if (reply === null) return '$-1\r\n';
  if (reply === NIL_LIST) return '*-1\r\n';
  if (reply instanceof Status) return `+${reply.text}\r\n`;
  if (reply instanceof Fault) return `-${reply.message.replace(/[\r\n]+$/, '').replace(/[\r\n]/g, ' ')}\r\n`;
  if (reply instanceof Several) return reply.replies.map(encode).join('');
  let text = `*${reply.length}\r\n`;
  for (const item of reply) text += encode(item);
  return text;
}
