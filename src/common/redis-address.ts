/** Which Redis is named, and how its URL is kept from showing its password. */
import { readFileSync } from 'node:fs';
import { wordsOf } from './errno.ts';
import { WssessError } from './errors.ts';
import { type Resolved, resolve } from './settings.ts';

/** Where Redis is, as a URL that may hold a password; and where that was said. */
export interface RedisAddress {
  url: string;
  source: string;
  /** Undefined when nothing is said of it. */
  tls?: TlsFiles | undefined;
}

/** What TLS goes by: PEM, as it was in the files. */
export interface TlsFiles {
  /** The flags and variables that named them. */
  files: string;
  /** Trusted in place of all others. */
  ca?: string;
  /** Of wssess, for a Redis that wants to know its clients. */
  cert?: string;
  key?: string;
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
    return { url: url.text, source: url.source, tls: tlsFiles(flags, env) };
  }
  if (file.text === undefined) return undefined;
  const text = read(file.text, file.source, 'Name a file that holds a Redis URL.').trim();
  return { url: text, source: `${file.source} ${file.text}`, tls: tlsFiles(flags, env) };
}

function tlsFiles(flags: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv): TlsFiles | undefined {
  const named = (['redisCa', 'redisCert', 'redisKey'] as const)
    .map((name) => resolve(name, flags, env))
    .filter(({ text }) => text !== undefined);
  if (named.length === 0) return undefined;
  const parts = { redisCa: 'ca', redisCert: 'cert', redisKey: 'key' } as Record<string, string>;
  const pem = named.map(({ name, text, source }) => [parts[name]!, read(text!, source, 'Name a PEM file.')]);
  return { files: named.map(({ source }) => source).join(', '), ...Object.fromEntries(pem) };
}

function read(path: string, source: string, advice: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new WssessError('usage', `${source}: ${path} cannot be read: ${wordsOf(cause)}`, { advice });
  }
}

/** @throws WssessError `usage` for a password in --redis */
export function refusePassword(flags: Readonly<Record<string, unknown>>): void {
  const url = flags.redis;
  if (typeof url !== 'string' || !(PASSWORD.test(url) || PARAMETER.test(url))) return;
  throw new WssessError('usage', '--redis holds a password, which every user of this machine sees in ps', {
    advice: 'Put the URL into WSSESS_REDIS_URL or into a file named by --redis-file.',
  });
}

const PASSWORD = /^(\s*(?:[a-z][a-z0-9+.-]*:\/\/)?[^:@]*:)(?!\/\/).+@/is;
/** Of a Sentinel, in a parameter. */
const PARAMETER = /[?&][^=&]*password=./i;

/**
 * The URL with its password replaced, for everything that prints; one that is no proper URL too: it holds one as well.
 * So may parameters, and whatever comes behind them.
 */
export function maskUrl(url: string): string {
  return url.replace(PASSWORD, '$1****@').replace(/\?.+/s, '?****');
}
