/** Who a client is, where no key is named: what its CONNECT headers say. On loopback only, or with --insecure. */
import { Refusal } from '../refusal.ts';
import { ownHeader } from '../stomp/frame.ts';
import { checkNames, type Guard } from './guard.ts';

/** Trusts `userId` or `login`, and `userRole`; a token in any frame is of no interest. */
export const HEADER_TRUST: Guard = {
  start() {},
  authenticate(frame, { version }) {
    const user = ownHeader(frame, 'userId', version) || ownHeader(frame, 'login', version);
    const role = ownHeader(frame, 'userRole', version) || null;
    if (!user) throw new Refusal('no user in CONNECT', 'Send the header userId, or login; userRole is optional.');
    return checkNames({ user, role }, 'userId and userRole');
  },
  async renew() {
    throw new Refusal('this server takes no tokens', 'It was started without a key for them.');
  },
  check: () => undefined,
  forget() {},
};
