/** When keys end: EXPIRE, TTL and their kin. */
import { integer } from '../protocol/arguments.ts';
import { Fault } from '../protocol/reply.ts';
import type { Handler, Rows } from './command.ts';

/**
 * @param unit milliseconds that one of the command's time is
 * @param since what the time counts from
 */
const expire =
  (command: string, unit: 1 | 1000, since: 'now' | '1970'): Handler =>
  ([key, text, ...options], { db }) => {
    const allows = condition(options);
    const start = since === 'now' ? db.now : 0;
    const at = start + integer(text) * unit;
    if (Math.abs(at - start) >= 2 ** 63 || at >= 2 ** 63)
      throw new Fault(`ERR invalid expire time in '${command}' command`);
    const current = db.expiresAt(key!);
    if (current === undefined || !allows(current, at)) return 0;
    db.setExpiry(key!, at);
    return 1;
  };

/** NX, XX, GT, LT. A key without an end is at Infinity. */
function condition(options: readonly string[]): (current: number, at: number) => boolean {
  const flags = new Set<string>();
  for (const option of options) {
    const flag = option.toLowerCase();
    if (!['nx', 'xx', 'gt', 'lt'].includes(flag)) throw new Fault(`ERR Unsupported option ${option}`);
    flags.add(flag);
  }
  if (flags.has('nx') && flags.size > 1) {
    throw new Fault('ERR NX and XX, GT or LT options at the same time are not compatible');
  }
  if (flags.has('gt') && flags.has('lt')) throw new Fault('ERR GT and LT options at the same time are not compatible');
  return (current, at) =>
    !(flags.has('nx') && current !== Infinity) &&
    !(flags.has('xx') && current === Infinity) &&
    !(flags.has('gt') && at <= current) &&
    !(flags.has('lt') && at >= current);
}

/** -2 without a key, -1 without an end. */
const remaining =
  (unit: 1 | 1000, since: 'now' | '1970'): Handler =>
  ([key], { db }) => {
    const at = db.expiresAt(key!);
    if (at === undefined) return -2;
    if (at === Infinity) return -1;
    return Math.floor((at - (since === 'now' ? db.now : 0) + unit / 2) / unit);
  };

const persist: Handler = ([key], { db }) => {
  const at = db.expiresAt(key!);
  if (at === undefined || at === Infinity) return 0;
  db.setExpiry(key!, Infinity);
  return 1;
};

export const expiry: Rows = {
  expire: [-3, 'write', expire('expire', 1000, 'now')],
  pexpire: [-3, 'write', expire('pexpire', 1, 'now')],
  expireat: [-3, 'write', expire('expireat', 1000, '1970')],
  pexpireat: [-3, 'write', expire('pexpireat', 1, '1970')],
  ttl: [2, 'readonly', remaining(1000, 'now')],
  pttl: [2, 'readonly', remaining(1, 'now')],
  expiretime: [2, 'readonly', remaining(1000, '1970')],
  pexpiretime: [2, 'readonly', remaining(1, '1970')],
  persist: [2, 'write', persist],
};
