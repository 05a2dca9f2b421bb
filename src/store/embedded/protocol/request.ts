/**
 * Bytes of a client -> commands, however the network cuts them. Requests are lists of bulk strings, or lines as a
 * person types them ("inline commands").
 */
import { splitLine } from './inline.ts';

/** Bytes, as Redis: a line without an end. */
const MAX_LINE = 64 * 1024;
/** Arguments of one request. */
const MAX_ARGUMENTS = 1024 * 1024;
/** Bytes of one argument, and of one whole request. Redis takes 512 MB and 1 GB; nothing of wssess comes near. */
export const MAX_BULK = 64 * 1024 * 1024;
const MAX_REQUEST = 2 * MAX_BULK;
/** Bytes that a word takes beside its own, and a piece as it came from the network, measured. */
const WORD = 40;
const PIECE = 1000;
/** What Redis takes of a client that hasn't authenticated. */
const STRANGER = { arguments: 10, bulk: 16_384 };

/** The stream makes no sense from here on: the client is told and cut. */
export class ProtocolError extends Error {}

export class RequestParser {
  /** Until AUTH the limits are narrow. */
  authenticated = false;
  #chunk: Buffer = Buffer.alloc(0);
  #at = 0;
  /** What came since, not joined yet: joining at each chunk would copy a large request over and over. */
  #later: Buffer[] = [];
  /** Bytes that must be there before another try makes sense. */
  #wanted = 0;
  #has = 0;
  /** The request in work. */
  #args: string[] = [];
  #missing = 0;
  #bulk = -1;
  #size = 0;
  /** What its words take. */
  #taken = 0;

  feed(bytes: Buffer): void {
    this.#later.push(bytes);
    this.#has += bytes.length;
  }

  /** Bytes that aren't read yet, at most. */
  get buffered(): number {
    return this.#has;
  }

  /** Bytes of memory that all of it takes, an estimate. */
  get held(): number {
    return this.#has + this.#later.length * PIECE + this.#taken;
  }

  /**
   * The next whole command, undefined when more bytes are needed.
   * @throws ProtocolError in the words of Redis
   */
  next(): string[] | undefined {
    if (this.#has < this.#wanted) return undefined;
    this.#join();
    for (;;) {
      if (this.#missing === 0) {
        if (this.#at >= this.#chunk.length) return this.#pause(1);
        if (this.#chunk[this.#at] !== 0x2a) {
          const line = this.#line('\n', 'too big inline request');
          if (line === undefined) return undefined;
          const words = splitLine(line.replace(/\r$/, ''));
          if (words === undefined) throw new ProtocolError('unbalanced quotes in request');
          if (words.length > 0) return words;
          continue;
        }
        if (!this.#begin()) return undefined;
        continue;
      }
      if (!this.#argument()) return undefined;
      if (this.#missing > 0) continue;
      const args = this.#args;
      this.#args = [];
      this.#taken = 0;
      return args;
    }
  }

  /** Reads `*<count>`. */
  #begin(): boolean {
    const line = this.#line('\r', 'too big mbulk count string');
    if (line === undefined) return false;
    const count = lengthIn(line);
    if (count === undefined || count > MAX_ARGUMENTS) throw new ProtocolError('invalid multibulk length');
    if (count > STRANGER.arguments && !this.authenticated) throw new ProtocolError('unauthenticated multibulk length');
    this.#missing = Math.max(0, count);
    this.#size = 0;
    return true;
  }

  /** Reads `$<length>` and the bytes. */
  #argument(): boolean {
    if (this.#bulk < 0) {
      if (this.#at < this.#chunk.length && this.#chunk[this.#at] !== 0x24) {
        throw new ProtocolError(`expected '$', got '${String.fromCharCode(this.#chunk[this.#at]!)}'`);
      }
      const line = this.#line('\r', 'too big bulk count string');
      if (line === undefined) return false;
      const length = lengthIn(line);
      if (length === undefined || length < 0 || length > MAX_BULK) throw new ProtocolError('invalid bulk length');
      if (length > STRANGER.bulk && !this.authenticated) throw new ProtocolError('unauthenticated bulk length');
      this.#size += length;
      if (this.#size > MAX_REQUEST) throw new ProtocolError('too big request');
      this.#bulk = length;
    }
    const end = this.#at + this.#bulk;
    if (end + 2 > this.#chunk.length) {
      this.#pause(this.#bulk + 2);
      return false;
    }
    this.#args.push(this.#chunk.toString('latin1', this.#at, end));
    this.#taken += this.#bulk + WORD;
    this.#at = end + 2;
    this.#bulk = -1;
    this.#missing--;
    return true;
  }

  /** A line without its end: `\n`, or `\r` and any byte. Undefined when its end isn't there yet. */
  #line(end: '\r' | '\n', tooLong: string): string | undefined {
    const found = this.#chunk.indexOf(end, this.#at, 'latin1');
    const after = found + (end === '\r' ? 2 : 1);
    if (found < 0 || after > this.#chunk.length) {
      if (this.#chunk.length - this.#at > MAX_LINE) throw new ProtocolError(tooLong);
      return this.#pause(this.#chunk.length - this.#at + 1);
    }
    const line = this.#chunk.toString('latin1', this.#at, found);
    this.#at = after;
    return line;
  }

  #pause(wanted: number): undefined {
    const rest = this.#chunk.subarray(this.#at);
    // A piece keeps alive all that it was cut from.
    this.#chunk = rest.length < this.#chunk.buffer.byteLength / 2 ? Buffer.from(rest) : rest;
    this.#at = 0;
    this.#wanted = wanted;
    this.#has = this.#chunk.length;
  }

  #join(): void {
    if (this.#later.length === 0) return;
    const rest = this.#chunk.subarray(this.#at);
    this.#chunk =
      rest.length === 0 && this.#later.length === 1 ? this.#later[0]! : Buffer.concat([rest, ...this.#later]);
    this.#at = 0;
    this.#later = [];
  }
}

/** The number behind the type byte: an integer as Redis reads it, without `+`, spaces or leading zeros. */
function lengthIn(line: string): number | undefined {
  const digits = line.slice(1);
  return /^(0|-?[1-9]\d{0,9})$/.test(digits) ? Number(digits) : undefined;
}
