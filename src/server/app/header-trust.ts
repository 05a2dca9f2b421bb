/** Who a client is, where no key is named: what its CONNECT headers say. On loopback only. */
import { CLOSE, Refusal } from '../refusal.ts';
import { type Frame, ownHeader, type Version } from '../stomp/frame.ts';

/** Bytes of UTF-8 that a user or a role may have: they become part of keys. */
const MAX_NAME = 512;

/**
 * The user from `userId` or `login`, the role from `userRole`.
 * @throws Refusal without a user, or for one that is too long
 */
export function trustHeaders(frame: Frame, version: Version): { user: string; role: string | null } {
  const user = ownHeader(frame, 'userId', version) || ownHeader(frame, 'login', version);
  const role = ownHeader(frame, 'userRole', version) || null;
  if (!user) throw new Refusal('no user in CONNECT', 'Send the header userId, or login; userRole is optional.');
  for (const name of [user, role ?? '']) {
    if (Buffer.byteLength(name) > MAX_NAME) {
      throw new Refusal(`userId and userRole have at most ${MAX_NAME} bytes`, '', CLOSE.policy);
    }
  }
  return { user, role };
}
