/** Makes a Store of what the settings name: today a standalone Redis. */
import { isIP } from 'node:net';
import { Redis, type RedisOptions } from 'ioredis';
import { WssessError } from '../common/errors.ts';
import { maskUrl } from '../common/redis-address.ts';
import type { Entry } from './link.ts';
import { Store } from './store.ts';

export interface ConnectOptions {
  /** redis://[user[:password]@]host[:port][/db], or rediss:// for TLS. */
  url: string;
  /** Where the URL was said, for the message about a wrong one. */
  source: string;
  /** Milliseconds for connecting, and for each command. */
  timeout: number;
  /**
   * True for a server: it connects again for ever; while it isn't connected, commands fail at once instead of
   * piling up. False for a command: the first fault ends it.
   */
  lasting: boolean;
}

/**
 * Connects to Redis.
 * @throws WssessError `usage` for a URL that is none, `redis_unreachable`, `redis_denied`, `redis_refused`
 */
export async function connect({ url, source, timeout, lasting }: ConnectOptions): Promise<Store> {
  const { where, entry, address } = parseUrl(url, source);
  const redis = new Redis({
    ...address,
    lazyConnect: true,
    connectTimeout: timeout,
    disconnectTimeout: 100, // a Redis that is stopped doesn't close its side
    commandTimeout: timeout,
    disableClientInfo: true, // CLIENT SETINFO: one command more a start, and an ACL rule more
    enableReadyCheck: false, // a Redis that is still loading says so to each command
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    // The first connection must succeed; only what was connected once is connected again.
    retryStrategy: (attempt) => (lasting && opened ? Math.min(50 * 2 ** attempt, 1000) + Math.random() * 100 : null),
  });
  let opened = false;
  const store = new Store(redis, entry, where, timeout, lasting);
  try {
    await store.open();
  } catch (error) {
    store.close();
    throw error;
  }
  opened = true;
  return store;
}

function parseUrl(text: string, source: string): { address: RedisOptions; entry: Entry; where: string } {
  const wrong = (why: string): never => {
    throw new WssessError('usage', `${source}: ${JSON.stringify(maskUrl(text))} ${why}`, {
      advice: 'Write it as redis://[user[:password]@]host[:port][/db].',
    });
  };
  if (!URL.canParse(text)) return wrong('is not a URL');
  const url = new URL(text);
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') return wrong('is not a redis:// URL');
  if (url.hostname === '') return wrong('names no host');
  if (url.search !== '' || url.hash !== '') return wrong('has parameters, which wssess does not take');
  const decode = (part: string): string => {
    try {
      return decodeURIComponent(part);
    } catch {
      return wrong('has a % that encodes nothing: write it as %25');
    }
  };
  const db = url.pathname.replace(/^\/$/, '') || '/0';
  if (!/^\/\d{1,5}$/.test(db)) return wrong('names a database that is not a number');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const port = Number(url.port || 6379);
  return {
    address: { host, port, ...(url.protocol === 'rediss:' && { tls: isIP(host) ? {} : { servername: host } }) },
    entry: {
      db: Number(db.slice(1)),
      ...(url.username && { username: decode(url.username) }),
      ...(url.password && { password: decode(url.password) }),
    },
    where: `${url.hostname}:${port}${db === '/0' ? '' : db}`,
  };
}
