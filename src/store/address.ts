/**
 * What a URL of the setting `redis` names. The schemes are those of Lettuce, which Spring's users write; a Cluster's is
 * made after them:
 *   redis://[user[:password]@]host[:port][/db]                     one Redis
 *   redis-sentinel://[…@]host[:port],host[:port]…[/db]#master      the master that these Sentinels name
 *   redis-cluster://[…@]host[:port],host[:port]…                   a Cluster that these nodes belong to
 * rediss://, rediss-sentinel:// and rediss-cluster:// are the same over TLS.
 */
import { WssessError } from '../common/errors.ts';
import { maskUrl } from '../common/redis-address.ts';
import type { Entry } from './link.ts';

export interface HostPort {
  /** A name or an address; IPv6 without its brackets. */
  host: string;
  port: number;
}

export interface Address {
  kind: 'redis' | 'sentinel' | 'cluster';
  /** Over TLS, Sentinels included. */
  tls: boolean;
  /** The Redis, or those who know where it is; one at least. */
  hosts: [HostPort, ...HostPort[]];
  /** Of Redis. */
  entry: Entry;
  /** The name that the Sentinels have for the master; '' but for them. */
  master: string;
  /** Of the Sentinels, which may want a password of their own. */
  sentinel: Entry;
  /** Without a password: for people. */
  where: string;
}

const KINDS = {
  redis: { port: 6379, form: 'redis://[user[:password]@]host[:port][/db]' },
  sentinel: {
    port: 26_379,
    form: 'redis-sentinel://[user[:password]@]host[:port],host[:port][/db][?sentinel_password=…]#master',
  },
  cluster: { port: 6379, form: 'redis-cluster://[user[:password]@]host[:port],host[:port]' },
} as const;

/** Parameters of a Sentinel's URL, as go-redis names them. */
const PARAMETERS = ['sentinel_username', 'sentinel_password'];

/** What redis-cli takes behind -h and -p: a URL of which only the scheme is missing. */
const HOST_ALONE = /^(?:localhost|[\w-]+(?:\.[\w-]+)+|[\w.-]+(?=:))(?::\d{1,5})?(?:\/\d{1,5})?$/;

/** @throws WssessError `usage` that shows no password */
export function parseUrl(text: string, source: string): Address {
  const [, secure, named = 'redis'] = /^redis(s?)(?:-(sentinel|cluster))?:\/\//i.exec(text) ?? [];
  const kind = named.toLowerCase() as Address['kind'];
  const wrong = (why: string, advice = `Write it as ${KINDS[kind].form}.`): never => {
    throw new WssessError('usage', `${source}: ${JSON.stringify(maskUrl(text))} ${why}`, { advice });
  };
  if (HOST_ALONE.test(text)) return wrong('is not a URL', `Write it as redis://${text}`);
  if (secure === undefined)
    return wrong(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? 'is not a redis:// URL' : 'is not a URL');
  const decode = (part: string): string => {
    try {
      return decodeURIComponent(part);
    } catch {
      return wrong('has a % that encodes nothing: write it as %25');
    }
  };

  // The first host is left in the URL for the URL parser; the others are parsed by it one by one.
  const [, scheme, who = '', several, rest] = /^(.*?:\/\/)(?:([^/?#]*)@)?([^/?#]*)(.*)$/s.exec(text) ?? [];
  const parse = (host: string, before = '', after = ''): URL => {
    const url = `redis://${before}${host}${after}`;
    return URL.canParse(url) ? new URL(url) : wrong('is not a URL');
  };
  const parts = several!.split(',');
  if (kind !== 'redis' && who.split(':')[0]!.includes(','))
    return wrong('names a user behind a host: write it once, before the first');
  if (kind === 'redis' && parts.length > 1)
    return wrong('names several hosts: a Sentinel is redis-sentinel://, a Cluster redis-cluster://');
  if (/[\s\\]/.test(text) || scheme === undefined) return wrong('is not a URL');
  const url = parse(parts[0]!, who && `${who}@`, rest);
  const hosts = parts.map((part) => {
    const { hostname, port } = parse(part);
    if (hostname === '') return wrong('names no host');
    return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port || KINDS[kind].port) };
  });

  const known = kind === 'sentinel' ? PARAMETERS : [];
  const parameters = [...url.searchParams.keys()];
  if (parameters.some((name) => !known.includes(name)) || (url.search !== '' && parameters.length === 0))
    return wrong('has parameters, which wssess does not take');
  const master = decode(url.hash.slice(1));
  if (kind === 'sentinel' && !/^[\w.-]{1,255}$/.test(master))
    return wrong(master ? 'names a master that none can be called' : 'does not name the master behind a #');
  if (kind !== 'sentinel' && url.hash !== '') return wrong('has a part behind #, which wssess does not take');
  const path = url.pathname.replace(/^\/$/, '') || '/0';
  if (!/^\/\d{1,5}$/.test(path)) return wrong('names a database that is not a number');
  const db = Number(path.slice(1));
  if (kind === 'cluster' && db !== 0) return wrong('names a database: a Cluster has but 0');

  const names = hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`).join(',');
  const ofDb = db === 0 ? '' : `/${db}`;
  return {
    kind,
    tls: secure !== '',
    hosts: hosts as [HostPort],
    entry: entryOf(db, decode(url.username), decode(url.password)),
    master,
    sentinel: entryOf(
      0,
      url.searchParams.get('sentinel_username') ?? '',
      url.searchParams.get('sentinel_password') ?? '',
    ),
    where: {
      redis: `${names}${ofDb}`,
      sentinel: `${names}${ofDb}#${master}`,
      cluster: names,
    }[kind],
  };
}

function entryOf(db: number, username: string, password: string): Entry {
  return { db, ...(username && { username }), ...(password && { password }) };
}
