import { type Frame, Headers, type Version } from '../../../src/server/stomp/frame.ts';
import { type Limits, Parser, ProtocolError } from '../../../src/server/stomp/parser.ts';

export interface Plain {
  command: string;
  headers: (readonly [string, string])[];
  body: string;
}

export interface Outcome {
  frames: Plain[];
  fault: ProtocolError | undefined;
  pending: number;
}

/** Octets of a text whose characters are octets (latin1), so that tests can write any byte. */
export const octets = (text: string): Buffer => Buffer.from(text, 'latin1');

export const plain = (frame: Frame): Plain => ({
  command: frame.command,
  headers: [...frame.headers],
  body: frame.body.toString('latin1'),
});

/** Feeds the pieces one after the other and gathers what comes out, up to the first fault. */
export function parse(input: Buffer | string | Buffer[], version: Version, limits?: Limits): Outcome {
  const parser = new Parser(limits);
  parser.version = version;
  const pieces = Array.isArray(input) ? input : [typeof input === 'string' ? Buffer.from(input) : input];
  const frames: Plain[] = [];
  try {
    for (const piece of pieces) for (const frame of parser.push(piece)) frames.push(plain(frame));
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { frames, fault: error, pending: parser.pending };
  }
  return { frames, fault: undefined, pending: parser.pending };
}

/** The one frame of the input; fails when there are more or fewer, or a fault. */
export function one(input: Buffer | string, version: Version): Plain {
  const { frames, fault, pending } = parse(input, version);
  if (fault) throw fault;
  const [frame] = frames;
  if (!frame || frames.length > 1 || pending > 0) throw new Error(`${frames.length} frames, ${pending} octets pending`);
  return frame;
}

/** The fault of the input; fails when there is none. */
export function faultOf(input: Buffer | string, version: Version, limits?: Limits): ProtocolError {
  const { fault, frames } = parse(input, version, limits);
  if (!fault) throw new Error(`no fault, ${frames.length} frames`);
  return fault;
}

/** Cuts bytes at the given places; each octet alone when `cuts` is 'each'. */
export function cut(bytes: Buffer, cuts: number[] | 'each'): Buffer[] {
  const places = cuts === 'each' ? Array.from(bytes, (_, index) => index) : cuts.map((c) => c % (bytes.length + 1));
  const bounds = [0, ...places.toSorted((a, b) => a - b), bytes.length];
  return bounds.slice(1).map((end, index) => bytes.subarray(bounds[index], end));
}

export const headers = (...lines: [string, string][]): Headers => new Headers(lines);
