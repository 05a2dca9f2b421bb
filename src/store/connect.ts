/** Makes a Store of what the settings name: one Redis, the master that Sentinels name, or the one of a Cluster. */
import { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { Redis, type RedisOptions } from 'ioredis';
import { WssessError } from '../common/errors.ts';
import type { TlsFiles } from '../common/redis-address.ts';
import { type Address, parseUrl } from './address.ts';
import type { Entry } from './link.ts';
import { connectorOf, Locator, textOf, tlsOf } from './locate.ts';
import { Store } from './store.ts';

export interface ConnectOptions {
  /** See address.ts. */
  url: string;
  /** Where the URL was said, for the message about a wrong one. */
  source: string;
  /** For TLS: whom to trust, and what to show. */
  tls?: TlsFiles | undefined;
  /** Of the keys, `ws` unless said: on a Cluster it says which of its masters has them. */
  prefix?: string;
  /** Milliseconds for connecting, and for each command. */
  timeout: number;
  /**
   * True for a server: it connects again for ever; while it isn't connected, commands fail at once instead of
   * piling up. False for a command: the first fault ends it.
   */
  lasting: boolean;
  /** The URL by now, asked before each reconnect: the embedded store of a serve that is started again is elsewhere. */
  again?: (() => string) | undefined;
}

/**
 * Connects to Redis.
 * @throws WssessError `usage` for a URL that is none, `redis_unreachable`, `redis_denied`, `redis_refused`
 */
export async function connect(wanted: ConnectOptions): Promise<Store> {
  const { url, source, tls, prefix = 'ws', timeout, lasting, again } = wanted;
  const address = parseUrl(url, source);
  const { kind } = address;
  const name = `Redis at ${address.where}`;
  if (kind === 'cluster' && !/^\{.+\}$/.test(prefix)) {
    throw new WssessError('usage', `a Cluster keeps keys of one node together by a hash tag, and ${prefix} is none`, {
      advice: `Give serve and every command --prefix '{${prefix}}', or WSSESS_PREFIX.`,
    });
  }
  const secure = secureOf(tls, address.tls, source);
  const options: RedisOptions = {
    lazyConnect: true,
    connectTimeout: timeout,
    disconnectTimeout: 100, // a Redis that is stopped doesn't close its side
    commandTimeout: timeout,
    disableClientInfo: true, // CLIENT SETINFO: one command more a start, and an ACL rule more
    enableReadyCheck: false, // a Redis that is still loading says so to each command
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    ...(address.tls && { tls: { secureContext: secure } }),
  };
  const probe = `${prefix}:x:`;
  const entry = { ...address.entry, ...checkOf(address, name, probe) };
  const locator = kind === 'redis' ? undefined : new Locator(address, options, probe, timeout);
  const finder = again ? moving(again, source, entry) : locator;
  const redis = new Redis(
    finder
      ? { ...options, Connector: connectorOf(finder, address.tls) }
      : { ...options, ...address.hosts[0], ...(address.tls && { tls: tlsOf(address.hosts[0].host, options.tls) }) },
  );
  const store = new Store(redis, {
    entry,
    where: address.where,
    told: { kind, name, master: () => locator?.last && textOf(locator.last) },
    timeout,
    lasting,
  });
  try {
    return await store.open();
  } catch (error) {
    store.close();
    throw error;
  }
}

/** Where a Redis is by now that comes back elsewhere, and with another password. */
function moving(again: () => string, source: string, entry: Entry): Pick<Locator, 'locate'> {
  return {
    async locate() {
      const now = parseUrl(again(), source);
      Object.assign(entry, now.entry);
      return now.hosts[0];
    },
  };
}

/** What must be so at the other end, asked each time it is entered: what was said of it may be old. */
function checkOf({ kind }: Address, name: string, probe: string): Pick<Entry, 'check'> {
  if (kind === 'cluster') return { check: (redis) => redis.call('EXISTS', probe) };
  if (kind !== 'sentinel') return {};
  return {
    // HELLO, because every user may say it; ROLE and INFO are for administrators.
    check: async (redis) => {
      const said = (await redis.call('HELLO')) as unknown[];
      if (said[said.indexOf('role') + 1] === 'master') return;
      throw new WssessError('redis_unreachable', `${name}: what its Sentinels name as the master is a replica`, {
        advice: 'Another master takes over at the moment: repeat in some seconds.',
      });
    },
  };
}

/** @throws WssessError `usage` for files that are no certificates, or without TLS */
function secureOf(
  { files, ...pem }: TlsFiles = { files: '' },
  wanted: boolean,
  source: string,
): SecureContext | undefined {
  if (files === '') return undefined;
  if (!wanted) {
    throw new WssessError('usage', `${files}: ${source} names a Redis without TLS`, {
      advice: 'Write rediss:// in place of redis://, or leave these out.',
    });
  }
  try {
    // What is no certificate, Node would leave out of what it trusts without a word.
    for (const text of [pem.ca, pem.cert]) if (text !== undefined) new X509Certificate(text);
    if ((pem.cert === undefined) !== (pem.key === undefined))
      throw new Error('a certificate needs its key, a key its certificate');
    return createSecureContext(pem);
  } catch (cause) {
    throw new WssessError('usage', `${files}: ${(cause as Error).message}`, {
      advice: 'Name PEM files: certificates (-----BEGIN CERTIFICATE-----), and the key that fits.',
      cause,
    });
  }
}
