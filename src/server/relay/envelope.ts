/**
 * A message on its way from node to node (docs/keys.md): version and sender, so that a node knows its own without
 * reading on; what it is, as JSON; the body as it is.
 *
 *     1 <incarnation> {"n":17,"to":{"kind":"topic","name":"/topic/a"},"headers":[["content-type","text/plain"]]}\n<body>
 */
import { NOT_PASSED_ON } from '../broker/copies.ts';
import type { Shared } from '../broker/other-nodes.ts';
import { type Frame, Headers } from '../stomp/frame.ts';
import type { Limits } from '../stomp/parser.ts';

const VERSION = '1';
/** Characters of an incarnation. */
const INCARNATION = 16;
const STAMP = VERSION.length + 1 + INCARNATION + 1;
/** Octets that JSON may make of one: a control character is \u0000. */
const WORST = 6;
/** Octets of JSON beside the headers. */
const OVERHEAD = 1024;

/** What was sent, read. */
export interface Received {
  target: Shared;
  /** Unique over all nodes. */
  id: string;
  frame: Frame;
}

/** What a message can't be read for. */
export class Unreadable extends Error {}

/** What the messages of a sender begin with. */
export const stampOf = (incarnation: string): Buffer => Buffer.from(`${VERSION} ${incarnation} `);

/** @param stamp of the sender */
export function pack(stamp: Buffer, number: number, target: Shared, { headers, body }: Frame): Buffer {
  const passedOn = [...headers].filter(([name]) => !NOT_PASSED_ON.has(name));
  const json = `${JSON.stringify({ n: number, to: target, headers: passedOn })}\n`;
  const at = stamp.length + Buffer.byteLength(json);
  const message = Buffer.allocUnsafe(at + body.length);
  stamp.copy(message);
  message.write(json, stamp.length);
  body.copy(message, at);
  return message;
}

/**
 * Reads a message, which may be anybody's: whoever may PUBLISH in Redis.
 * @param limits of this node, which another one's message keeps to as well
 * @returns the body is a part of `message`
 * @throws Unreadable
 */
export function unpack(message: Buffer, { maxHeaders, maxHeaderBytes, maxBody }: Limits): Received {
  const version = message.toString('latin1', 0, Math.max(0, message.subarray(0, 8).indexOf(' ')));
  if (/^\d+$/.test(version) && version !== VERSION) throw new Unreadable(`it is of version ${version}`);
  const [, sender] = /^1 ([A-Za-z0-9_-]{16}) $/.exec(message.toString('latin1', 0, STAMP)) ?? [];
  if (sender === undefined) throw new Unreadable('it has no version and sender');
  const most = WORST * maxHeaders * maxHeaderBytes + OVERHEAD + maxBody;
  if (message.length > most) throw new Unreadable(`it has ${message.length} bytes`);
  const end = message.indexOf('\n', STAMP);
  const { n, to, headers } = parse(message.toString('utf8', STAMP, Math.max(STAMP, end)));
  const body = message.subarray(end + 1);
  if (body.length > maxBody) throw new Unreadable(`its body has ${body.length} bytes`);
  if (!Number.isSafeInteger(n)) throw new Unreadable('it has no number');
  if (!isTarget(to)) throw new Unreadable('it is to nobody');
  if (!isHeaders(headers) || headers.length > maxHeaders) throw new Unreadable('its headers are none');
  return { target: to, id: `${sender}-${n}`, frame: { command: 'SEND', headers: new Headers(headers), body } };
}

function parse(json: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {}
  throw new Unreadable('it holds no JSON object');
}

function isTarget(to: unknown): to is Shared {
  if (typeof to !== 'object' || to === null) return false;
  const { kind, name, user, session } = to as Record<string, unknown>;
  if (typeof name !== 'string') return false;
  if (kind === 'topic') return name.startsWith('/topic/');
  if (!name.startsWith('/user/queue/')) return false;
  return (
    kind === 'all' ||
    (kind === 'user' && typeof user === 'string') ||
    (kind === 'session' && typeof session === 'string')
  );
}

function isHeaders(headers: unknown): headers is [string, string][] {
  return (
    Array.isArray(headers) &&
    headers.every((one) => Array.isArray(one) && typeof one[0] === 'string' && typeof one[1] === 'string')
  );
}
