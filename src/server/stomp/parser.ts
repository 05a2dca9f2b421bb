/** Bytes to frames, for the server's side: the frames a client may send, in any chunking. */

import { isUtf8 } from 'node:buffer';
import { Accumulator } from './accumulator.ts';
import { unescapeHeader } from './escapes.ts';
import { type Frame, Headers, ownHeader, type Version } from './frame.ts';
import { commandOf, FIRST_LINE_BYTES, mayBegin, type Rules, rulesFor } from './grammar.ts';
import { ProtocolError, quote } from './protocol-error.ts';

export { ProtocolError } from './protocol-error.ts';

const NUL = 0;
const LF = 10;
const CR = 13;
const NOTHING = Buffer.alloc(0);

/** What a client may make the server hold (1.1 and 1.2 "Size Limits"). */
export interface Limits {
  /** Header lines a frame. */
  maxHeaders: number;
  /** Octets of one header line as on the wire: name, colon and value, without the line end. */
  maxHeaderBytes: number;
  /** Octets of a body. */
  maxBody: number;
}

export const DEFAULT_LIMITS: Limits = { maxHeaders: 100, maxHeaderBytes: 8 * 1024, maxBody: 1024 * 1024 };

/** The frame that is being read, once its first line is. */
interface Draft {
  readonly command: string;
  readonly rules: Rules;
  readonly headers: Headers;
  /** The blank line was read. */
  inBody: boolean;
  /** Octets of the body; undefined when it ends at the first NUL. */
  length: number | undefined;
}

export class Parser {
  /** Governs the next frame; the connection sets it when it handles CONNECT. */
  version: Version = '1.0';
  readonly #limits: Limits;
  #draft: Draft | undefined;
  /** The start of a first line that a cut left unfinished. */
  #first = '';
  /** The start of a header line or a body that a cut left unfinished. */
  #part = new Accumulator();
  /** Octets read of the unfinished frame. */
  #held = 0;
  /** What is unread of a chunk whose iteration was broken off. */
  #left: Buffer = NOTHING;
  #complete: Frame | undefined;
  #fault: ProtocolError | undefined;

  constructor(limits: Limits = DEFAULT_LIMITS) {
    this.#limits = limits;
  }

  /** Octets held of an unfinished frame: at most the first line, the header lines and the body that the limits allow. */
  get pending(): number {
    return this.#held + this.#left.length;
  }

  /**
   * Yields each frame that `chunk` completes, one at a time, so that a `version` set between two of them governs the
   * second. Nothing is read before the iteration begins. Ends of line between frames (heart-beats) yield nothing. Bodies
   * are copies: the chunk may be reused when the iteration is over. What a broken off iteration left is read by the next
   * push; two must not run at once.
   * @throws ProtocolError on the first fault, after the frames before it, and again on every later call.
   */
  *push(chunk: Uint8Array): Generator<Frame, void, undefined> {
    if (this.#fault) throw this.#fault;
    let bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.#left.length > 0) bytes = Buffer.concat([this.#left, bytes]);
    this.#left = NOTHING;
    let at = 0;
    try {
      while (at < bytes.length) {
        at = this.#read(bytes, at);
        const frame = this.#complete;
        if (frame === undefined) continue;
        this.#complete = undefined;
        yield frame;
      }
    } finally {
      if (at < bytes.length && !this.#fault) this.#left = Buffer.from(bytes.subarray(at));
    }
  }

  /** Reads the octets of one line or body, as far as they are there; returns where it stopped. */
  #read(bytes: Buffer, at: number): number {
    const draft = this.#draft;
    try {
      const next = !draft
        ? this.#readFirstLine(bytes, at)
        : draft.inBody
          ? this.#readBody(draft, bytes, at)
          : this.#readHeaderLine(draft, bytes, at);
      this.#held = this.#draft || this.#first ? this.#held + next - at : 0;
      return next;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      const receipt = draft && !draft.rules.connecting ? ownHeader(draft, 'receipt', draft.rules.dialect) : undefined;
      if (receipt !== undefined) error.receipt = receipt;
      this.#fault = error;
      this.#draft = undefined;
      this.#part.take();
      this.#held = 0;
      throw error;
    }
  }

  #readFirstLine(bytes: Buffer, at: number): number {
    if (this.#first === '' && bytes[at] === LF) return endOfRun(bytes, at);
    const lf = bytes.indexOf(LF, at);
    const end = Math.min(lf === -1 ? bytes.length : lf, at + FIRST_LINE_BYTES);
    const text = this.#first + bytes.toString('latin1', at, end);
    const command = commandOf(text, this.version);
    if (lf === -1 ? !mayBegin(text, this.version) : command === undefined) {
      const [line = ''] = (this.#first + bytes.toString('latin1', at, at + 64)).split(/[\n\0]/, 1);
      throw new ProtocolError(`Unknown command ${quote(line)} in STOMP ${this.version}`);
    }
    this.#first = lf === -1 ? text : '';
    if (lf === -1) return end;
    if (command) {
      const rules = rulesFor(command, this.version);
      this.#draft = { command, rules, headers: new Headers(), inBody: false, length: undefined };
    }
    return lf + 1;
  }

  #readHeaderLine(draft: Draft, bytes: Buffer, at: number): number {
    const lf = this.#endOfLine(draft, bytes, at);
    let line = bytes.subarray(at, lf);
    if (lf === bytes.length || this.#part.length > 0) {
      this.#part.append(bytes, at, lf);
      if (lf === bytes.length) return lf;
      line = this.#part.take();
    }
    if (draft.rules.crlf && line[line.length - 1] === CR) line = line.subarray(0, -1);
    if (line.length > 0) this.#addHeader(draft, line);
    else this.#endHeaders(draft);
    return lf + 1;
  }

  /** Where the LF of the header line is, or the end of the bytes; octets that no header line may have are faults. */
  #endOfLine({ command, rules }: Draft, bytes: Buffer, start: number): number {
    const { maxHeaderBytes } = this.#limits;
    // 1.2 has no CR but before LF; in CONNECT it may be an octet like any other, as in 1.0.
    const crOnlyBeforeLf = rules.dialect === '1.2';
    let size = this.#part.length;
    let previous = this.#part.last;
    for (let at = start; at < bytes.length; at++) {
      const octet = bytes[at];
      if (octet === LF) return at;
      // The grammar allows it, but it means that the blank line is missing, and receivers that split at NUL (stompjs 2)
      // would take what follows for a frame of the server's.
      if (octet === NUL) throw new ProtocolError(`NUL in the headers of ${command}: no blank line ends them`);
      if (previous === CR && crOnlyBeforeLf) throw new ProtocolError(`CR without LF in the headers of ${command}`);
      size++;
      if (size > maxHeaderBytes && !(size === maxHeaderBytes + 1 && octet === CR && rules.crlf)) {
        throw new ProtocolError(`A header line of ${command} has more than ${maxHeaderBytes} octets`, true);
      }
      previous = octet;
    }
    return bytes.length;
  }

  #addHeader({ command, rules, headers }: Draft, line: Buffer): void {
    const { maxHeaders } = this.#limits;
    if (headers.size >= maxHeaders) throw new ProtocolError(`${command} has more than ${maxHeaders} headers`, true);
    const text = line.toString();
    // Fatal in 1.0 too: an id that isn't text would not be the same when it is sent back.
    if (text.includes('\ufffd') && !isUtf8(line)) throw new ProtocolError(`A header of ${command} is not valid UTF-8`);
    const colon = text.indexOf(':');
    if (colon === -1) throw new ProtocolError(`A header of ${command} has no colon: ${quote(text)}`);
    if (colon === 0) throw new ProtocolError(`A header of ${command} has no name: ${quote(text)}`);
    // Raw colons in a value are let through: many clients don't escape them, and the first one splits without doubt.
    headers.append(
      unescapeHeader(text.slice(0, colon), rules.dialect),
      unescapeHeader(text.slice(colon + 1), rules.dialect),
    );
  }

  #endHeaders(draft: Draft): void {
    const announced = this.#contentLength(draft);
    if (announced !== undefined) this.#checkSize(draft, announced);
    if (announced && !draft.rules.mayHaveBody) throw bodyForbidden(draft);
    draft.length = draft.rules.mayHaveBody ? announced : 0;
    draft.inBody = true;
  }

  #contentLength({ command, rules, headers }: Draft): number | undefined {
    const text = headers.get('content-length');
    if (text === undefined) return undefined;
    const digits = (rules.dialect === '1.0' ? /^ *([0-9]+) *$/ : /^([0-9]+)$/).exec(text)?.[1];
    if (digits === undefined) throw new ProtocolError(`The content-length of ${command} is no length: ${quote(text)}`);
    return Number(digits);
  }

  #checkSize({ command }: Draft, octets: number): void {
    const { maxBody } = this.#limits;
    if (octets > maxBody) throw new ProtocolError(`The body of ${command} has more than ${maxBody} octets`, true);
  }

  #readBody(draft: Draft, bytes: Buffer, at: number): number {
    const have = this.#part.length;
    const nul = draft.length === undefined ? bytes.indexOf(NUL, at) : at + draft.length - have;
    const end = nul === -1 ? bytes.length : Math.min(nul, bytes.length);
    if (draft.length === undefined) this.#checkSize(draft, have + end - at);
    this.#part.append(bytes, at, end);
    if (end === bytes.length) return end;
    if (bytes[end] !== NUL) {
      if (!draft.rules.mayHaveBody) throw bodyForbidden(draft);
      throw new ProtocolError(
        `The body of ${draft.command} goes on after its content-length of ${draft.length} octets`,
      );
    }
    this.#complete = { command: draft.command, headers: draft.headers, body: this.#part.take() };
    this.#draft = undefined;
    return end + 1;
  }
}

function bodyForbidden({ command }: Draft): ProtocolError {
  return new ProtocolError(`${command} must not have a body`);
}

/** Where a run of ends of line ends: a message may hold nothing but heart-beats, 2 MB of them. */
function endOfRun(bytes: Buffer, at: number): number {
  let end = at + 1;
  while (bytes[end] === LF) end++;
  return end;
}
