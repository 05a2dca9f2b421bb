/** What a client must see of a frame that is refused. */
import { expect } from 'vitest';
import type { Got, Talk } from './talk.ts';
import { within } from './wait.ts';

/** ERROR is the last frame that came, and the only one; it says why; then the close. */
export async function refused(one: Talk, message: RegExp, code: number, cause = 'protocol_error'): Promise<Got> {
  expect((await within(one.closed)).code).toBe(code);
  const error = one.frames().at(-1)!;
  expect([one.frames('ERROR').length, error.command]).toEqual([1, 'ERROR']);
  expect(error.header('message')).toMatch(message);
  expect(error.header('cause')).toBe(cause);
  return error;
}
