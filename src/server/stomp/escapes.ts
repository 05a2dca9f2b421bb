/** The escapes of header names and values, 1.1 and 1.2 "Value Encoding". 1.0 has none. */

import type { Version } from './frame.ts';
import { ProtocolError, quote } from './protocol-error.ts';

const ESCAPES_1_1: [string, string][] = [
  ['\\', '\\\\'],
  ['\n', '\\n'],
  [':', '\\c'],
];

const ESCAPE: Record<Version, ReadonlyMap<string, string>> = {
  '1.0': new Map(),
  '1.1': new Map(ESCAPES_1_1),
  '1.2': new Map([...ESCAPES_1_1, ['\r', '\\r']]),
};

const inverse = (map: ReadonlyMap<string, string>) => new Map([...map].map(([char, escaped]) => [escaped, char]));

const UNESCAPE: Record<Version, ReadonlyMap<string, string>> = {
  '1.0': new Map(),
  '1.1': inverse(ESCAPE['1.1']),
  '1.2': inverse(ESCAPE['1.2']),
};

/** Escapes a header name or value for a receiver of this version; a CR stays as it is for 1.1, which can't escape it. */
export function escapeHeader(text: string, version: Version): string {
  if (version === '1.0' || !/[\\\n:\r]/.test(text)) return text;
  const map = ESCAPE[version];
  return text.replace(/[\\\n:\r]/g, (char) => map.get(char) ?? char);
}

/**
 * Undoes `escapeHeader`, in one pass: `\\n` is a backslash and an n, never a newline.
 * @throws ProtocolError on an escape that the version doesn't define ("MUST be treated as a fatal protocol error").
 */
export function unescapeHeader(text: string, version: Version): string {
  if (version === '1.0' || !text.includes('\\')) return text;
  const map = UNESCAPE[version];
  return text.replace(/\\.?/gs, (escaped) => {
    const char = map.get(escaped);
    if (char === undefined)
      throw new ProtocolError(`Undefined escape ${quote(escaped)} in a header of STOMP ${version}`);
    return char;
  });
}
