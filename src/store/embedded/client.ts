/**
 * What the store knows of one connection, and how much memory it holds for it. The socket behind it is connection.ts'
 * affair.
 */
import type { Command } from './commands/command.ts';
import { encode, type Fault, type Reply } from './protocol/reply.ts';

/** The way out. */
export interface Wire {
  /** Sends RESP text of one byte a character. */
  send(text: string): void;
  /** Ends the connection after what was sent. */
  end(): void;
  /** Ends the connection at once, and forgets what waits on either side. `why` is told where it can be. */
  cut(why: Fault): void;
  /** A command may be read again: the client waits no more. */
  resume(): void;
}

/** A command as it was asked for. */
export interface Request {
  command: Command;
  /** What follows its name. */
  args: string[];
  /** As they came. */
  words: readonly string[];
}

interface Transaction {
  queue: Request[];
  /** By a command that couldn't be queued. */
  broken: boolean;
  /** What of the queue is in `held`. */
  bytes: number;
}

/** Bytes that names take which a client watches, listens to or waits for, an estimate. */
export const sizeOfNames = (names: readonly string[]): number => sum(names, 250);
/** Bytes that a command takes in the queue of MULTI, an estimate. */
export const sizeOfQueued = (words: readonly string[]): number => 150 + sum(words, 40);

function sum(words: readonly string[], each: number): number {
  let bytes = words.length * each;
  for (const word of words) bytes += word.length;
  return bytes;
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
  /** Since MULTI. */
  transaction: Transaction | undefined;
  readonly watched = new Set<string>();
  /** A watched key has changed. */
  dirty = false;
  readonly channels = new Set<string>();
  readonly patterns = new Set<string>();
  /** Ends the waiting of BLPOP. */
  stopWaiting: (() => void) | undefined;
  /** Bytes that the store keeps for it: requests and replies under way, MULTI's queue, names. An estimate. */
  held = 0;
  /** And for all clients. */
  readonly #all: { held: number };

  constructor(address: string, wire: Wire, all: { held: number }) {
    this.address = address;
    this.wire = wire;
    this.#all = all;
  }

  get subscriptions(): number {
    return this.channels.size + this.patterns.size;
  }

  /** Counts what is kept for this client from now on; less than 0 for what isn't any more. */
  hold(bytes: number): void {
    this.held += bytes;
    this.#all.held += bytes;
  }

  /** Holds a command back until EXEC. One that is broken already will never run: Redis queues no more either. */
  enqueue(request: Request): void {
    const { transaction } = this;
    if (!transaction || transaction.broken) return;
    const bytes = sizeOfQueued(request.words);
    transaction.queue.push(request);
    transaction.bytes += bytes;
    this.hold(bytes);
  }

  /** Forgets MULTI and what it has held back. */
  endTransaction(): void {
    this.hold(-(this.transaction?.bytes ?? 0));
    this.transaction = undefined;
  }

  send(reply: Reply): void {
    this.wire.send(encode(reply));
  }
}
