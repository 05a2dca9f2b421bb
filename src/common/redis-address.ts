/** Which Redis is named, and how its URL is kept from showing its password. */
import { readFileSync } from 'node:fs';
import { WssessError } from './errors.ts';
import { type Resolved, resolve } from './settings.ts';

/** Where Redis is, as a URL that may hold a password; and where that was said. */
export interface RedisAddress {
  url: string;
  source: string;
}

/**
 * The Redis that is named, undefined when none is: --redis, --redis-file, WSSESS_REDIS_URL, WSSESS_REDIS_FILE, in this order.
 * @throws WssessError `usage` for a password in --redis (it shows in `ps`), two flags at once, a file that cannot be
 *   read
 */
export function redisAddress(
  flags: Readonly<Record<string, unknown>>,
  env: NodeJS.ProcessEnv,
): RedisAddress | undefined {
  const url = resolve('redis', flags, env);
  const file = resolve('redisFile', flags, env);
  const fromFlag = (one: Resolved) => one.source.startsWith('--');
  if (fromFlag(url) && fromFlag(file)) {
    throw new WssessError('usage', '--redis and --redis-file both name a Redis', { advice: 'Give one of them.' });
  }
  if (url.text !== undefined && !(fromFlag(file) && !fromFlag(url))) {
    refusePassword(flags);
    return { url: url.text, source: url.source };
  }
  if (file.text !== undefined) return { url: readUrl(file.text, file.source), source: `${file.source} ${file.text}` };
  return undefined;
}

function readUrl(path: string, source: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'cannot be read';
    throw new WssessError('usage', `${source}: ${path}: ${reason}`, { advice: 'Name a file that holds a Redis URL.' });
  }
}

/** @throws WssessError `usage` for a password in --redis */
export function refusePassword(flags: Readonly<Record<string, unknown>>): void {
  const url = flags.redis;
  if (typeof url !== 'string' || !PASSWORD.test(url)) return;
  throw new WssessError('usage', '--redis holds a password, which every user of this machine sees in ps', {
    advice: 'Put the URL into WSSESS_REDIS_URL or into a file named by --redis-file.',
  });
}

const PASSWORD = /^(\s*(?:[a-z][a-z0-9+.-]*:\/\/)?[^:@]*:)(?!\/\/).+@/is;

/**
 * The URL with its password replaced, for everything that prints; one that is no proper URL too: it holds one as well.
 * So may parameters, which are not taken anyway.
 */
export function maskUrl(url: string): string {
  return url.replace(PASSWORD, '$1****@').replace(/\?.+/s, '?****');
}
