/** Messages to WebSocket frames, as a server sends them: whole, unmasked (RFC 6455, 5.1 and 5.2). Pure. */
import type { Message } from './message.ts';

/** FIN, and the opcode (5.2). */
const TEXT = 0x81;
const BINARY = 0x82;
/** From this length on a tail isn't copied: many sockets hold the same octets, however slow they are. */
const LARGE = 16 * 1024;

/**
 * The octets of messages, one WebSocket message each, in their order.
 * @returns few buffers, mostly one: what is small is copied together, a large tail is handed out as it is
 */
export function join(messages: readonly Message[]): Buffer[] {
  let size = 0;
  for (const { head, tail } of messages) {
    size += headerSize(head.length + tail.length) + head.length + (tail.length < LARGE ? tail.length : 0);
  }
  const bytes = Buffer.allocUnsafe(size);
  const chunks: Buffer[] = [];
  let [start, at] = [0, 0];
  for (const { head, tail, text } of messages) {
    at = writeHeader(bytes, at, head.length + tail.length, text);
    bytes.set(head, at);
    at += head.length;
    if (tail.length < LARGE) {
      bytes.set(tail, at);
      at += tail.length;
    } else {
      chunks.push(bytes.subarray(start, at), tail);
      start = at;
    }
  }
  if (start === 0) return [bytes];
  if (start < at) chunks.push(bytes.subarray(start, at));
  return chunks;
}

/** Payload length in 7 bits, 7 + 16, or 7 + 64, the shortest that holds it (5.2). */
function headerSize(length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10;
}

/** @returns where the payload goes */
function writeHeader(bytes: Buffer, at: number, length: number, text: boolean): number {
  bytes[at] = text ? TEXT : BINARY;
  if (length < 126) {
    bytes[at + 1] = length;
    return at + 2;
  }
  if (length < 65_536) {
    bytes[at + 1] = 126;
    bytes[at + 2] = length >> 8;
    bytes[at + 3] = length & 0xff;
    return at + 4;
  }
  bytes[at + 1] = 127;
  bytes.writeUInt32BE(Math.floor(length / 2 ** 32), at + 2);
  bytes.writeUInt32BE(length % 2 ** 32, at + 6);
  return at + 10;
}
