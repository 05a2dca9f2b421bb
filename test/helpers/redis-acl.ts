/** The rules for users of Redis's ACL that docs/security.md gives, word for word. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Redis } from 'ioredis';

const PAGE = readFileSync(join(import.meta.dirname, '../../docs/security.md'), 'utf8');

export type User = 'viewer' | 'operator' | 'node';
export const PASSWORD = 'acl-secret';

/** The rule of a user as the page gives it, for the prefix `ws`. */
function ruleOf(user: User): string[] {
  const [, rule] = new RegExp(`^ACL SETUSER ${user} +(on .*)$`, 'm').exec(PAGE) ?? [];
  if (rule === undefined) throw new Error(`docs/security.md has no rule for ${user}`);
  return rule.replace('PASSWORD', PASSWORD).split(/ +/);
}

/** Makes the user. @param prefixes in place of `ws` */
export async function allow(client: Redis, user: User, ...prefixes: string[]): Promise<void> {
  const rule = ruleOf(user);
  await client.call('ACL', 'SETUSER', user, 'reset', ...rule);
  for (const prefix of prefixes) {
    const own = rule.filter((part) => /^[~&]ws:/.test(part)).map((part) => part.replace('ws:', `${prefix}:`));
    await client.call('ACL', 'SETUSER', user, ...own);
  }
}
