/** Makes hostile input of valid frames: in their headers, in their bytes, and in how they come by WebSocket. */
import { type Draft, encode } from './frames.ts';
import type { Random } from './random.ts';
import type { Version } from './reference.ts';

/** One WebSocket message, in one fragment or more. */
export interface Message {
  fragments: Buffer[];
  binary: boolean;
}

const ESCAPES = ['\\t', '\\x', 'a\\', '\\', '\\\\', '\\r', '\\n', '\\c', '\\:', '\\\0'];
const LENGTHS = [
  '-1',
  '0',
  '1',
  '5',
  '007',
  '5 ',
  ' 5',
  '5\t',
  '+5',
  '0x5',
  '5.0',
  '1e9',
  '1e1',
  '999999999',
  'NaN',
  '',
];
const HUGE = ['9'.repeat(400), '4096', '4097', '2147483648', '4294967301', '9007199254740993', '٣'];
const NAMES = [
  '__proto__',
  'constructor',
  'content-length',
  'receipt',
  'destination',
  'subscription',
  'message-id',
  '',
];
/** Overlong forms, surrogates, cut characters, what no character has. */
const NO_UTF8 = [[0xff], [0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf0, 0x9f, 0x98], [0xf8, 0x88], [0xe2, 0x82]];
const PIECES = ['\0', '\n', '\r', '\r\n', '\n\n', '\0\n', '\0\0', ':', '\\', 'SEND\n', '\ufeff', '\u2028', ' '];

const headerMutations: ((random: Random, frame: Draft) => void)[] = [
  (random, { headers }) => headers.sort(() => random.next() - 0.5),
  (random, { headers }) => void headers.splice(random.below(headers.length + 1), 1),
  (random, { headers }) => void (headers.length > 0 && headers.push([...random.pick(headers)])),
  (random, { headers }) => {
    const [one, other] = [random.pick(headers), random.pick(headers)];
    if (one && other) [one[1], other[1]] = [other[1], one[1]];
  },
  (random, { headers }) => void headers.push(['content-length', random.pick(random.chance(0.7) ? LENGTHS : HUGE)]),
  (random, { headers }) => void headers.unshift(['content-length', random.pick(LENGTHS)]),
  (random, { headers }) => {
    const one = random.pick(headers);
    if (one) one[random.below(2)] += random.pick(ESCAPES);
  },
  (random, { headers }) => void headers.push([random.pick(NAMES), random.pick(['', 'x', 'hasOwnProperty'])]),
  (random, { headers }) => void headers.push(['long', 'x'.repeat(random.pick([240, 250, 251, 252, 300, 3000]))]),
  (random, { headers }) => {
    for (let i = random.pick([1, 5, 20]); i > 0; i--) headers.push([`h${i}`, 'v']);
  },
  (random, frame) => {
    frame.body = Buffer.alloc(random.pick([1, 4095, 4096, 4097]), random.pick(['x', '\0', '\n']));
  },
  (random, frame) => {
    frame.command = random.pick(['send', 'SEN', 'SENDX', '', ' SEND', 'MESSAGE', 'CONNECT', 'ERROR', 'SEND ', 'NACK']);
  },
];

const byteMutations: ((random: Random, bytes: Buffer, at: number) => Buffer)[] = [
  (random, bytes, at) => {
    const flipped = Buffer.from(bytes);
    if (at < flipped.length) flipped[at]! ^= 1 << random.below(8);
    return flipped;
  },
  (random, bytes, at) => splice(bytes, at, 0, Buffer.from([random.below(256)])),
  (random, bytes, at) => splice(bytes, at, 1 + random.below(4), Buffer.alloc(0)),
  (random, bytes, at) => splice(bytes, at, 0, bytes.subarray(at, at + random.below(40))),
  (_, bytes, at) => bytes.subarray(0, at),
  (random, bytes, at) => splice(bytes, at, 0, Buffer.from(random.pick(PIECES))),
  (random, bytes, at) => splice(bytes, at, 0, Buffer.from(random.pick(NO_UTF8))),
  (random, bytes) => replaceOne(random, bytes, '\n', random.pick(['\r\n', '\r', '\n\r', '\0', ''])),
  (random, bytes) => replaceOne(random, bytes, ':', random.pick(['', '::', ' :', '\\c', '\0:'])),
  (_, bytes) => bytes.subarray(0, -1), // no NUL
];

/** @returns the bytes, a few times mutated; now and then not at all */
export function mutate(random: Random, frames: Draft[], version: Version): Buffer {
  const eol = random.chance(version === '1.2' ? 0.3 : 0.03) ? '\r\n' : '\n';
  const drafts = frames.map(({ command, headers, body }) => ({
    command,
    headers: headers.map(([name, value]): [string, string] => [name, value]),
    body,
  }));
  const rounds = random.pick([0, 0, 1, 1, 1, 2, 3]);
  let inBytes = 0;
  for (let i = 0; i < rounds; i++) {
    if (random.chance(0.45)) random.pick(headerMutations)(random, random.pick(drafts));
    else inBytes++;
  }
  const between = random.pick(['', '', '\n', '\r\n', '\n\n\n']);
  let bytes = Buffer.concat(drafts.flatMap((draft) => [encode(draft, eol), Buffer.from(between)]));
  for (; inBytes > 0; inBytes--) {
    bytes = Buffer.from(random.pick(byteMutations)(random, bytes, random.below(bytes.length + 1)));
  }
  return bytes;
}

/** Cuts bytes to WebSocket messages, and those to fragments: one, some, or one an octet. */
export function pack(random: Random, bytes: Buffer): Message[] {
  const binary = random.chance(0.6);
  return cut(random, bytes, random.pick([0, 0, 0, 1, 2, 5])).map((part) => ({
    fragments: cut(random, part, random.pick([0, 0, 0, 1, 3])),
    binary: random.chance(0.05) ? !binary : binary,
  }));
}

function cut(random: Random, bytes: Buffer, cuts: number): Buffer[] {
  const places = Array.from({ length: cuts }, () => random.below(bytes.length + 1)).sort((a, b) => a - b);
  const bounds = [0, ...places, bytes.length];
  return bounds.slice(1).map((end, i) => bytes.subarray(bounds[i], end));
}

function splice(bytes: Buffer, at: number, remove: number, insert: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
}

function replaceOne(random: Random, bytes: Buffer, what: string, by: string): Buffer {
  const places = [...bytes.keys()].filter((at) => bytes[at] === what.charCodeAt(0));
  return places.length === 0 ? bytes : splice(bytes, random.pick(places), 1, Buffer.from(by));
}
