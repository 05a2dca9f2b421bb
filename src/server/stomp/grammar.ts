/** Which frames a client may send, and which rules of the grammar hold for each command in each version. */

import type { Version } from './frame.ts';

const CONNECTING = ['CONNECT', 'STOMP'];
const OTHERS = ['SEND', 'SUBSCRIBE', 'UNSUBSCRIBE', 'ACK', 'NACK', 'BEGIN', 'COMMIT', 'ABORT', 'DISCONNECT'];

/**
 * Every line that may stand where a frame begins, and its command; '' is an end of line between frames. CRLF ends lines
 * in 1.2 alone, so `SEND\r` is no command of 1.0 or 1.1. But CONNECT comes before the version is known, and ends of line
 * between frames carry nothing that could be mistaken: those may have their CR always.
 */
const FIRST_LINES: Record<Version, ReadonlyMap<string, string>> = {
  '1.0': firstLines(CONNECTING),
  '1.1': firstLines(CONNECTING),
  '1.2': firstLines([...CONNECTING, ...OTHERS]),
};

function firstLines(withCrlf: string[]): ReadonlyMap<string, string> {
  const lines = new Map(['', ...CONNECTING, ...OTHERS].map((command) => [command, command]));
  for (const command of ['', ...withCrlf]) lines.set(`${command}\r`, command);
  return lines;
}

/** The most octets of a first line worth looking at: the longest with its CR, and one that is too many. */
export const FIRST_LINE_BYTES = 'UNSUBSCRIBE\r'.length + 1;

/** The command of a complete first line, '' for an end of line between frames, undefined when there is none. */
export function commandOf(firstLine: string, version: Version): string | undefined {
  return FIRST_LINES[version].get(firstLine);
}

/** True while more octets could make a first line of this. */
export function mayBegin(start: string, version: Version): boolean {
  for (const line of FIRST_LINES[version].keys()) if (line.startsWith(start)) return true;
  return false;
}

/** The rules for the rest of a frame. */
export interface Rules {
  /** Whose escapes and padding hold: CONNECT and STOMP are written as in 1.0 ("Value Encoding"). */
  readonly dialect: Version;
  /** A CR before the LF belongs to the line end. */
  readonly crlf: boolean;
  /** CONNECT and STOMP take no receipt ("Header receipt"). */
  readonly connecting: boolean;
  /** "Only the SEND, MESSAGE, and ERROR frames MAY have a body"; 1.0 lets any have one. */
  readonly mayHaveBody: boolean;
}

export function rulesFor(command: string, version: Version): Rules {
  const connecting = CONNECTING.includes(command);
  return {
    dialect: connecting ? '1.0' : version,
    crlf: connecting || version === '1.2',
    connecting,
    mayHaveBody: command === 'SEND' || (version === '1.0' && !connecting),
  };
}
