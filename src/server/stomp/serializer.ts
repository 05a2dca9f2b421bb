/** Frames to bytes, encoded anew for each receiver's version. */

import { escapeHeader } from './escapes.ts';
import type { Headers, Version } from './frame.ts';

/** CONNECT, STOMP and CONNECTED carry no escapes: they must be understood before a version is agreed on. */
type Dialect = Version | 'connect';

/**
 * What the name or the value of a header may not hold in each dialect; such a header is left out. What can't be escaped
 * would become a header line of its own (LF), or split name from value elsewhere (a colon in a name). NUL goes in all of
 * them: the grammar allows it, but clients that split their input at NUL (stompjs 2) would take the rest of the headers
 * for a frame of the server's. CR is an octet like any other in 1.0 and 1.1, also at the end: RECEIPT must have the value
 * that the client gave ("RECEIPT").
 */
const UNFIT: Record<Dialect, { name: RegExp; value: RegExp }> = {
  connect: { name: /[:\n\r\0]/, value: /[\n\r\0]/ },
  '1.0': { name: /[:\n\0]/, value: /[\n\0]/ },
  '1.1': { name: /\0/, value: /\0/ },
  '1.2': { name: /\0/, value: /\0/ },
};

/**
 * Bytes of a frame for a receiver of this version. Names and values are escaped as the version has it ("Value Encoding"),
 * without padding. A header that can't be given to the version is left out, the body is always delivered.
 *
 * `content-length` is counted here and replaces any that is given (a sender's may be padded or repeated). Every body that
 * isn't empty gets one: 1.2 says SHOULD ("Header content-length"), 1.0 and 1.1 recommend it, and a body that holds NUL
 * can't do without. An empty body needs none, as the NUL follows at once.
 */
export function serialize(command: string, headers: Headers, body: Buffer | string, version: Version): Buffer {
  const connecting = command === 'CONNECTED' || command === 'CONNECT' || command === 'STOMP';
  return finish(`${command}\n${lines(headers, connecting ? 'connect' : version)}`, body);
}

/**
 * `serialize` in two parts, for a message with many receivers: the head has the command and the headers that differ, the
 * tail the headers that all share, and the body. A head and a tail of the same version, one behind the other, are a frame.
 */
export function serializeHead(command: string, headers: Headers, version: Version): Buffer {
  return Buffer.from(`${command}\n${lines(headers, version)}`);
}

/** The part behind `serializeHead`: the other headers, `content-length`, the body and the NUL. */
export function serializeTail(headers: Headers, body: Buffer | string, version: Version): Buffer {
  return finish(lines(headers, version), body);
}

function lines(headers: Headers, dialect: Dialect): string {
  const unfit = UNFIT[dialect];
  const version = dialect === 'connect' ? '1.0' : dialect;
  let text = '';
  for (const [name, value] of headers) {
    if (name === '' || name === 'content-length' || unfit.name.test(name) || unfit.value.test(value)) continue;
    text += `${escapeHeader(name, version)}:${escapeHeader(value, version)}\n`;
  }
  return text;
}

function finish(lines: string, body: Buffer | string): Buffer {
  const length = Buffer.byteLength(body);
  const head = length === 0 ? `${lines}\n` : `${lines}content-length:${length}\n\n`;
  const at = Buffer.byteLength(head);
  const bytes = Buffer.allocUnsafe(at + length + 1);
  bytes.write(head);
  if (typeof body === 'string') bytes.write(body, at);
  else body.copy(bytes, at);
  bytes[at + length] = 0;
  return bytes;
}
