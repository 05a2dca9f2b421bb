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
