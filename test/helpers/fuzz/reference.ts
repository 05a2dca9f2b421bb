/**
 * A second reader of client frames, for the tests to compare the server with: written from the specifications and
 * docs/protocol.md, on the whole input at once, as plainly as can be. It shares nothing with the server's parser.
 */
import { isUtf8 } from 'node:buffer';

export type Version = '1.0' | '1.1' | '1.2';

export interface Limits {
  maxHeaders: number;
  maxHeaderBytes: number;
  maxBody: number;
}

export interface Frame {
  command: string;
  headers: [string, string][];
  body: Buffer;
}

export interface Reading {
  /** Whole frames before the fault or the end. */
  frames: Frame[];
  /** A frame breaks the grammar or a limit, or CONNECT offers no version that there is. */
  fault: boolean;
  /** The version that holds behind the last frame: CONNECT agrees on one. */
  version: Version;
  /** Octets of the unfinished frame. */
  held: number;
  /** What brings the unfinished frame further: to the end of the line, or of the frame; empty when there is none. */
  next: string;
}

const CONNECTING = ['CONNECT', 'STOMP'];
const COMMANDS = [
  ...CONNECTING,
  ...['SEND', 'SUBSCRIBE', 'UNSUBSCRIBE', 'ACK', 'NACK', 'BEGIN', 'COMMIT', 'ABORT', 'DISCONNECT'],
];
const ESCAPES: Record<Version, Record<string, string>> = {
  '1.0': {},
  '1.1': { '\\\\': '\\', '\\n': '\n', '\\c': ':' },
  '1.2': { '\\\\': '\\', '\\n': '\n', '\\c': ':', '\\r': '\r' },
};

/** The most octets that an unfinished frame may have: first line, header lines with their ends, blank line, body. */
export function mostHeld({ maxHeaders, maxHeaderBytes, maxBody }: Limits): number {
  return 'UNSUBSCRIBE\r\n'.length + maxHeaders * (maxHeaderBytes + 2) + 2 + maxBody;
}

/** Undoes the escapes of a version; undefined when one isn't defined. */
export function unescaped(text: string, version: Version): string | undefined {
  if (version === '1.0') return text;
  const known = ESCAPES[version];
  let plain = '';
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '\\') plain += text[at];
    else {
      const char = known[text.slice(at, at + 2)];
      if (char === undefined) return undefined;
      plain += char;
      at++;
    }
  }
  return plain;
}

/** @param version that holds when the bytes begin; 1.0 before CONNECT */
export function read(bytes: Buffer, version: Version, limits: Limits): Reading {
  const reading: Reading = { frames: [], fault: false, version, held: 0, next: '' };
  let at = 0;
  while (at < bytes.length && !reading.fault && reading.next === '') at = readFrame(bytes, at, reading, limits);
  return reading;
}

/** Reads one frame, or one end of line between frames; returns where the next begins. */
function readFrame(bytes: Buffer, start: number, reading: Reading, limits: Limits): number {
  const { version } = reading;
  const fault = () => {
    reading.fault = true;
    return bytes.length;
  };
  const unfinished = (next: string) => {
    reading.held = bytes.length - start;
    reading.next = next;
    return bytes.length;
  };
  const lf = bytes.indexOf(10, start);
  const first = bytes.toString('latin1', start, lf === -1 ? bytes.length : lf);
  const withCr = version === '1.2' ? COMMANDS : CONNECTING;
  const lines = ['', '\r', ...COMMANDS, ...withCr.map((command) => `${command}\r`)];
  if (lf === -1) return lines.some((line) => line.startsWith(first)) ? unfinished('\n') : fault();
  if (!lines.includes(first)) return fault();
  const command = first.replace('\r', '');
  if (command === '') return lf + 1;

  const isConnect = CONNECTING.includes(command);
  const dialect = isConnect ? '1.0' : version;
  const crlf = isConnect || version === '1.2';
  const headers: [string, string][] = [];
  let at = lf + 1;
  for (;;) {
    const end = bytes.indexOf(10, at);
    const whole = end !== -1;
    const line = bytes.subarray(at, whole ? end : bytes.length);
    if (!fits(line, dialect, crlf, limits)) return fault();
    if (!whole) return unfinished('\n');
    at = end + 1;
    const text = crlf && line.at(-1) === 13 ? line.subarray(0, -1) : line;
    if (text.length === 0) break;
    if (headers.length === limits.maxHeaders || !isUtf8(text)) return fault();
    const [, name, value] = /^([^:]+):(.*)$/s.exec(text.toString()) ?? [];
    const plain = [unescaped(name ?? '', dialect), unescaped(value ?? '', dialect)];
    if (name === undefined || plain[0] === undefined || plain[1] === undefined) return fault();
    headers.push([plain[0], plain[1]]);
  }

  const announced = headers.find(([name]) => name === 'content-length')?.[1];
  const mayHaveBody = command === 'SEND' || (version === '1.0' && !isConnect);
  if (announced !== undefined && !/^\d+$/.test(dialect === '1.0' ? announced.replace(/^ +| +$/g, '') : announced)) {
    return fault();
  }
  const length = announced === undefined ? undefined : Number(announced);
  if ((length ?? 0) > (mayHaveBody ? limits.maxBody : 0)) return fault();
  const nul = bytes.indexOf(0, at);
  const end = !mayHaveBody ? at : length !== undefined ? at + length : nul === -1 ? bytes.length : nul;
  if (end - at > limits.maxBody) return fault();
  if (end >= bytes.length) return unfinished(`${'x'.repeat(end - bytes.length)}\0`);
  if (bytes[end] !== 0) return fault();
  reading.frames.push({ command, headers, body: bytes.subarray(at, end) });
  if (isConnect) {
    const offered = headers.find(([name]) => name === 'accept-version')?.[1];
    const agreed = offered === undefined ? '1.0' : best(offered);
    if (!agreed) return fault();
    reading.version = agreed;
  }
  return end + 1;
}

/** Whether a header line has only octets that it may have, and not too many. */
function fits(line: Buffer, dialect: Version, crlf: boolean, { maxHeaderBytes }: Limits): boolean {
  if (line.includes(0)) return false;
  const cr = line.indexOf(13);
  if (dialect === '1.2' && cr !== -1 && cr < line.length - 1) return false;
  const most = crlf && line.at(-1) === 13 ? maxHeaderBytes + 1 : maxHeaderBytes;
  return line.length <= most;
}

function best(offered: string): Version | undefined {
  const all = offered.split(',').map((one) => one.trim());
  return (['1.2', '1.1', '1.0'] as const).find((version) => all.includes(version));
}
