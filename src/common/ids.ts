/** Identifiers that wssess draws. */
import { randomBytes } from 'node:crypto';

/**
 * A session id or an incarnation: 96 random bits as 16 characters of base64url, drawn again while they begin with `-`
 * (ids are typed as arguments).
 */
export function newId(): string {
  for (;;) {
    const id = randomBytes(12).toString('base64url');
    if (!id.startsWith('-')) return id;
  }
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** An action id: 26 characters in the form of a ULID, 48 bits of milliseconds and 80 random bits; sorts by time. */
export function newActionId(now: number = Date.now()): string {
  let value = (BigInt(now) << 80n) | BigInt(`0x${randomBytes(10).toString('hex')}`);
  let text = '';
  for (let i = 0; i < 26; i++) {
    text = CROCKFORD[Number(value & 31n)] + text;
    value >>= 5n;
  }
  return text;
}
