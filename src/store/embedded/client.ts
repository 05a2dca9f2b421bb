/** What the store knows of one connection. The socket behind it is connection.ts' affair. */
import type { Command } from './commands/command.ts';
import { encode, type Reply } from './protocol/reply.ts';

/** The way out. */
export interface Wire {
  /** Sends RESP text of one byte a character. */
  send(text: string): void;
  /** Ends the connection after what was sent. */
  end(): void;
  /** A command may be read again: the client waits no more. */
  resume(): void;
}

export interface Queued {
  command: Command;
  args: string[];
}

export class Client {
  static #last = 0;
  readonly id = ++Client.#last;
  readonly since = Date.now();
  /** As `127.0.0.1:50000`. */
  readonly address: string;
  readonly wire: Wire;
  name = '';
  authenticated = false;
  lastCommand = 'NULL';
  lastAt = Date.now();
  /** Since MULTI; `broken` by a command that couldn't be queued. */
  transaction: { queue: Queued[]; broken: boolean } | undefined;
  readonly watched = new Set<string>();
  /** A watched key has changed. */
  dirty = false;
  readonly channels = new Set<string>();
  readonly patterns = new Set<string>();
  /** Ends the waiting of BLPOP. */
  stopWaiting: (() => void) | undefined;

  constructor(address: string, wire: Wire) {
    this.address = address;
    this.wire = wire;
  }

  get subscriptions(): number {
    return this.channels.size + this.patterns.size;
  }

  send(reply: Reply): void {
    this.wire.send(encode(reply));
  }
}
