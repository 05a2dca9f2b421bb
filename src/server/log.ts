/** The server's log: a line an event on standard error, safe to look at whatever clients sent. */
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

/** Warns of each kind once in a while: Redis gone is told once, not once a client. */
export function warnSeldom(log: Log): (kind: string, message: string) => void {
  const quietUntil = new Map<string, number>();
  return (kind, message) => {
    if (performance.now() <= (quietUntil.get(kind) ?? 0)) return;
    quietUntil.set(kind, performance.now() + QUIET);
    log.warn(message);
  };
}
