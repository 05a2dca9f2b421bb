/** What a STOMP frame is, for every version. */

export type Version = '1.0' | '1.1' | '1.2';

/** The versions this server speaks, best first. */
export const VERSIONS: readonly Version[] = ['1.2', '1.1', '1.0'];

/**
 * Header lines in the order of the wire. Of repeated ones the first wins on `get` and all are kept (1.2 "Repeated
 * Header Entries"). Names are case-sensitive. A list, not an object: a client may call a header `__proto__`.
 */
export class Headers {
  readonly #lines: (readonly [string, string])[];

  constructor(lines: Iterable<readonly [string, string]> = []) {
    this.#lines = [...lines];
  }

  /** Headers from a literal of the server's own; those that are undefined are left out. */
  static of(record: Record<string, string | number | undefined>): Headers {
    const headers = new Headers();
    for (const [name, value] of Object.entries(record)) {
      if (value !== undefined) headers.append(name, String(value));
    }
    return headers;
  }

  /** The value of the first header of this name, undefined if there is none. */
  get(name: string): string | undefined {
    for (const line of this.#lines) if (line[0] === name) return line[1];
    return undefined;
  }

  has(name: string): boolean {
    return this.get(name) !== undefined;
  }

  /** Adds a line behind the others, also when the name is there already. */
  append(name: string, value: string): this {
    this.#lines.push([name, value]);
    return this;
  }

  get size(): number {
    return this.#lines.length;
  }

  [Symbol.iterator](): Iterator<readonly [string, string]> {
    return this.#lines[Symbol.iterator]();
  }
}

export interface Frame {
  readonly command: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

/**
 * A header that the server itself acts on (`destination`, `receipt`, …). Clients of 1.0 pad it as the examples of their
 * specification do (`ack: client`), so spaces after the colon go; 1.1 and 1.2 forbid trimming ("Value Encoding").
 */
export function ownHeader(frame: Pick<Frame, 'headers'>, name: string, version: Version): string | undefined {
  const value = frame.headers.get(name);
  return version === '1.0' ? value?.replace(/^ +/, '') : value;
}
