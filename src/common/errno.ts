/** What the operating system said, in its words. */
import { getSystemErrorMap } from 'node:util';

/** `no such file or directory`, not `ENOENT`; what is no fault of the system in its own words. */
export function wordsOf(fault: unknown): string {
  const { errno, message } = fault as NodeJS.ErrnoException;
  return (errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1]) ?? message;
}
