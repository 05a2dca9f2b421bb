/** WebSocket by hand (RFC 6455, 5.2), for what no client would send. */
import { connect, type Socket } from 'node:net';
import { within } from './wait.ts';

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface FrameOptions {
  fin?: boolean;
  /** The three reserved bits, 0 to 7. */
  rsv?: number;
  masked?: boolean;
  /** What is announced; the payload's length if nothing else is said. */
  length?: bigint;
}

/** A frame as a client sends it; the mask is zeros, which leave the payload as it is. */
export function wsFrame(opcode: number, payload: Buffer | string = '', options: FrameOptions = {}): Buffer {
  const { fin = true, rsv = 0, masked = true } = options;
  const bytes = Buffer.from(payload);
  const length = options.length ?? BigInt(bytes.length);
  const head = Buffer.alloc(length < 126n ? 2 : length < 65_536n ? 4 : 10);
  head[0] = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  head[1] = (masked ? 0x80 : 0) | (length < 126n ? Number(length) : length < 65_536n ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(Number(length), 2);
  if (head.length === 10) head.writeBigUInt64BE(length, 2);
  return Buffer.concat([head, Buffer.alloc(masked ? 4 : 0), bytes]);
}

export const handshake = (more = ''): string =>
  'GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
  `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`;

/** What a server's frame says. */
export interface Arrived {
  opcode: number;
  payload: Buffer;
}

export interface RawWebSocket {
  socket: Socket;
  /** Whole frames so far. */
  arrived(): Arrived[];
  /** The code of the server's close frame; undefined when it closed without one. */
  closed: Promise<number | undefined>;
}

/** Connects, and sends the handshake with whatever stands behind it in one write. */
export async function rawWebSocket(port: number, behind: Buffer | string = ''): Promise<RawWebSocket> {
  let bytes = Buffer.alloc(0);
  let wake = () => {};
  const begun = new Promise<void>((resolve) => (wake = resolve));
  const socket = connect(port, '127.0.0.1', () =>
    socket.write(Buffer.concat([Buffer.from(handshake()), Buffer.from(behind)])),
  );
  const arrived = () => read(bytes);
  const closed = new Promise<number | undefined>((resolve) => {
    socket.on('close', () => {
      const { payload } = arrived().find(({ opcode }) => opcode === OPCODE.close) ?? {};
      resolve(payload && payload.length > 1 ? payload.readUInt16BE(0) : undefined);
    });
  });
  socket.on('error', () => {});
  socket.on('data', (data: Buffer) => {
    bytes = Buffer.concat([bytes, data]);
    if (bytes.includes('\r\n\r\n')) wake();
  });
  await within(begun);
  if (!bytes.toString('latin1').startsWith('HTTP/1.1 101 ')) throw new Error(bytes.toString('latin1'));
  return { socket, arrived, closed };
}

function read(bytes: Buffer): Arrived[] {
  const frames: Arrived[] = [];
  let at = bytes.indexOf('\r\n\r\n') + 4;
  while (bytes.length - at >= 2) {
    const short = bytes[at + 1]! & 0x7f;
    const from = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
    if (from > bytes.length) break;
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
    if (from + length > bytes.length) break;
    frames.push({ opcode: bytes[at]! & 0x0f, payload: bytes.subarray(from, from + length) });
    at = from + length;
  }
  return frames;
}
