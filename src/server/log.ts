/** The server's log: a line an event on standard error, safe to look at whatever clients sent. */
import { lineOf, WssessError } from '../common/errors.ts';
import { visible } from '../common/escape.ts';
import { rfc3339 } from '../common/time.ts';

export interface Log {
  info(message: string): void;
  warn(message: string): void;
}

/** @param write takes whole lines */
export function makeLog(write: (line: string) => void): Log {
  const line = (level: string) => (message: string) => write(`${rfc3339(Date.now())} ${level} ${visible(message)}\n`);
  return { info: line('info'), warn: line('warn') };
}

/** Milliseconds in which the same kind of fault is told once. */
const QUIET = 5000;

/** Tells the operator of what goes wrong, of each kind once in a while: Redis gone is told once, not once a client. */
export class Faults {
  readonly #log: Log;
  readonly #quietUntil = new Map<string, number>();

  constructor(log: Log) {
    this.#log = log;
  }

  warn(kind: string, message: string): void {
    if (performance.now() <= (this.#quietUntil.get(kind) ?? 0)) return;
    this.#quietUntil.set(kind, performance.now() + QUIET);
    this.#log.warn(message);
  }

  /** Something failed; what isn't in the table of errors is a fault of ours, told each time and in full. */
  tell(error: unknown): void {
    if (error instanceof WssessError) this.warn(error.code, lineOf(error));
    else this.#log.warn((error as Error)?.stack ?? String(error));
  }
}
