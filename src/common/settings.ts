/**
 * The one table of settings: flag, variable, key, type, default, help. `serve` and every other command read from it,
 * `wssess config` prints it, docs/settings.md is generated from it (`npm run gen`).
 * Precedence: flag, then variable, then default.
 */
import { WssessError } from './errors.ts';
import { ACCESS } from './settings-access.ts';
import { type Setting, setting, type Types } from './settings-type.ts';
import { formatDuration, parseDuration } from './time.ts';

/** Names of nodes, and what a prefix consists of. */
const NAME = /^[A-Za-z0-9_.-]{1,64}$/;
const PREFIX = /^(?:[A-Za-z0-9_.-]{1,64}|\{[A-Za-z0-9_.-]{1,64}\})$/;
const SWITCH = new Map([
  ['true', true],
  ['1', true],
  ['false', false],
  ['0', false],
]);
const TEN_YEARS = 3650 * 24 * 3_600_000;

export const SETTINGS = {
  redis: setting({
    flag: '--redis <url>',
    variable: 'WSSESS_REDIS_URL',
    key: 'redis.url',
    type: 'text',
    default: undefined,
    help: 'Redis to use, redis://[user@]host:port/db (rediss:// for TLS, redis-sentinel://, redis-cluster://: docs/operations.md); a password only in the variable or in --redis-file',
  }),
  redisFile: setting({
    flag: '--redis-file <file>',
    variable: 'WSSESS_REDIS_FILE',
    key: 'redis.file',
    type: 'text',
    default: undefined,
    help: 'file that holds the Redis URL, password included',
  }),
  stateFile: setting({
    flag: '--state-file <file>',
    variable: 'WSSESS_STATE_FILE',
    key: 'store.state_file',
    type: 'text',
    default: undefined,
    help: 'where serve without a Redis says how to reach its embedded store; in $XDG_STATE_HOME/wssess unless said',
  }),
  redisTimeout: setting({
    flag: '--redis-timeout <duration>',
    variable: 'WSSESS_REDIS_TIMEOUT',
    key: 'redis.timeout',
    type: 'duration',
    default: '5s',
    help: 'how long Redis may take to connect or to answer one command',
    min: 10,
    max: 3_600_000,
  }),
  redisCa: setting({
    flag: '--redis-ca <file>',
    variable: 'WSSESS_REDIS_CA',
    key: 'redis.ca',
    type: 'text',
    default: undefined,
    help: 'for rediss://: PEM file of the CA to trust, in place of those that Node does',
  }),
  redisCert: setting({
    flag: '--redis-cert <file>',
    variable: 'WSSESS_REDIS_CERT',
    key: 'redis.cert',
    type: 'text',
    default: undefined,
    help: 'for rediss://: PEM file of the certificate to show to a Redis that asks for one',
  }),
  redisKey: setting({
    flag: '--redis-key <file>',
    variable: 'WSSESS_REDIS_KEY',
    key: 'redis.key',
    type: 'text',
    default: undefined,
    help: 'for rediss://: PEM file of the key of that certificate',
  }),
  prefix: setting({
    flag: '--prefix <prefix>',
    variable: 'WSSESS_PREFIX',
    key: 'redis.prefix',
    type: 'text',
    default: 'ws',
    help: 'prefix of all keys: letters, digits, _ . - or one {…} of the same',
    pattern: PREFIX,
  }),
  ttl: setting({
    flag: '--ttl <duration>',
    variable: 'WSSESS_TTL',
    key: 'sessions.ttl',
    type: 'duration',
    default: '24h',
    help: 'how long a session outlives the last sign of its client',
    min: 1000,
    max: TEN_YEARS,
  }),
  host: setting({
    flag: '--host <address>',
    variable: 'WSSESS_HOST',
    key: 'server.host',
    type: 'text',
    default: '127.0.0.1',
    help: 'address to listen on; any but loopback needs a key for clients and a token for REST',
  }),
  port: setting({
    flag: '--port <port>',
    variable: 'WSSESS_PORT',
    key: 'server.port',
    type: 'integer',
    default: '28070',
    help: 'port to listen on; 0 picks a free one',
    min: 0,
    max: 65_535,
  }),
  node: setting({
    flag: '--node <name>',
    variable: 'WSSESS_NODE',
    key: 'server.node',
    type: 'text',
    default: undefined,
    help: 'name of this node; by default the host name and the port',
    pattern: NAME,
  }),
  heartBeat: setting({
    flag: '--heart-beat <send,receive>',
    variable: 'WSSESS_HEART_BEAT',
    key: 'stomp.heart_beat',
    type: 'durations',
    default: '10s,10s',
    help: 'STOMP heart-beats: how often the server can send one, how often it wants one; 0 is off',
    min: 0,
    max: TEN_YEARS,
  }),
  connectTimeout: setting({
    flag: '--connect-timeout <duration>',
    variable: 'WSSESS_CONNECT_TIMEOUT',
    key: 'stomp.connect_timeout',
    type: 'duration',
    default: '10s',
    help: 'how long a client may take for its HTTP request or WebSocket handshake, and then for CONNECT',
    min: 10,
    max: 3_600_000,
  }),
  connectRate: setting({
    flag: '--connect-rate <count>',
    variable: 'WSSESS_CONNECT_RATE',
    key: 'server.connect_rate',
    type: 'integer',
    default: '100',
    help: 'most WebSocket connects a second from one address (IPv6: one /64), loopback exempt; 0 is no limit',
    min: 0,
    max: 1_000_000,
  }),
  maxHeaders: setting({
    flag: '--max-headers <count>',
    variable: 'WSSESS_MAX_HEADERS',
    key: 'stomp.max_headers',
    type: 'integer',
    default: '100',
    help: 'most headers in a frame',
    min: 10,
    max: 10_000,
  }),
  maxHeader: setting({
    flag: '--max-header <bytes>',
    variable: 'WSSESS_MAX_HEADER',
    key: 'stomp.max_header',
    type: 'bytes',
    default: '8k',
    help: 'longest header line of a frame',
    min: 256,
    max: 1 << 20,
  }),
  maxBody: setting({
    flag: '--max-body <bytes>',
    variable: 'WSSESS_MAX_BODY',
    key: 'stomp.max_body',
    type: 'bytes',
    default: '1m',
    help: 'largest body of a frame',
    min: 0,
    max: 256 << 20,
  }),
  maxSubscriptions: setting({
    flag: '--max-subscriptions <count>',
    variable: 'WSSESS_MAX_SUBSCRIPTIONS',
    key: 'stomp.max_subscriptions',
    type: 'integer',
    default: '1000',
    help: 'most subscriptions of a session',
    min: 1,
    max: 1_000_000,
  }),
  maxUnacked: setting({
    flag: '--max-unacked <count>',
    variable: 'WSSESS_MAX_UNACKED',
    key: 'stomp.max_unacked',
    type: 'integer',
    default: '1000',
    help: 'most messages that a session may leave without ACK',
    min: 1,
    max: 1_000_000,
  }),
  maxTransactions: setting({
    flag: '--max-transactions <count>',
    variable: 'WSSESS_MAX_TRANSACTIONS',
    key: 'stomp.max_transactions',
    type: 'integer',
    default: '16',
    help: 'most open transactions of a session',
    min: 0,
    max: 10_000,
  }),
  maxTransactionBytes: setting({
    flag: '--max-transaction-bytes <bytes>',
    variable: 'WSSESS_MAX_TRANSACTION_BYTES',
    key: 'stomp.max_transaction_bytes',
    type: 'bytes',
    default: '4m',
    help: 'most bytes in the open transactions of a session',
    min: 1 << 10,
    max: 1 << 30,
  }),
  maxQueue: setting({
    flag: '--max-queue <bytes>',
    variable: 'WSSESS_MAX_QUEUE',
    key: 'stomp.max_queue',
    type: 'bytes',
    default: '8m',
    help: 'most bytes of one /queue that wait for a subscriber or its ACK; above it SEND is an ERROR',
    min: 1 << 10,
    max: 1 << 30,
  }),
  maxQueues: setting({
    flag: '--max-queues <bytes>',
    variable: 'WSSESS_MAX_QUEUES',
    key: 'stomp.max_queues',
    type: 'bytes',
    default: '64m',
    help: 'the same, of all queues of the node',
    min: 1 << 10,
    max: 1 << 30,
  }),
  queueTtl: setting({
    flag: '--queue-ttl <duration>',
    variable: 'WSSESS_QUEUE_TTL',
    key: 'stomp.queue_ttl',
    type: 'duration',
    default: '10m',
    help: 'how long a message of a /queue waits for a subscriber',
    min: 0,
    max: TEN_YEARS,
  }),
  sendRoles: setting({
    flag: '--send-roles <roles>',
    variable: 'WSSESS_SEND_ROLES',
    key: 'stomp.send_roles',
    type: 'text',
    default: undefined,
    help: 'roles, with commas, that may SEND to /user/…, /session/… and /all/…; nobody unless named',
  }),
  maxBuffer: setting({
    flag: '--max-buffer <bytes>',
    variable: 'WSSESS_MAX_BUFFER',
    key: 'stomp.max_buffer',
    type: 'bytes',
    default: '4m',
    help: 'most bytes that may wait for a slow client before it is cut',
    min: 1 << 10,
    max: 1 << 30,
  }),
  restAllMax: setting({
    flag: '--rest-all-max <count>',
    variable: 'WSSESS_REST_ALL_MAX',
    key: 'rest.all_max',
    type: 'integer',
    default: '200000',
    help: 'most sessions that GET /api/session/all lists; above it the answer is 413',
    min: 0,
    max: 10_000_000,
  }),
  ...ACCESS,
} as const;

export type SettingName = keyof typeof SETTINGS;
type ValueOf<S> = S extends Setting<infer T> & { default: infer D }
  ? Types[T] | (D extends undefined ? undefined : never)
  : never;
export type Values = { [N in SettingName]: ValueOf<(typeof SETTINGS)[N]> };

/** Where a value came from, for `wssess config`. */
export interface Resolved {
  name: SettingName;
  /** As it was written; undefined: not set. */
  text: string | undefined;
  source: string;
}

/** `redisFile` for `--redis-file <file>`: what commander calls the option; '' for what has no flag. */
export const optionName = (name: SettingName): string =>
  SETTINGS[name].flag
    .split(' ')[0]!
    .slice(2)
    .replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/** Text and source of one setting; nothing is checked. */
export function resolve(name: SettingName, flags: Readonly<Record<string, unknown>>, env: NodeJS.ProcessEnv): Resolved {
  const { variable, default: fallback, flag } = SETTINGS[name];
  const given = flag === '' ? undefined : flags[optionName(name)];
  if (given !== undefined) return { name, text: String(given), source: flag.split(' ')[0]! };
  if (env[variable]) return { name, text: env[variable], source: variable };
  return { name, text: fallback, source: fallback === undefined ? 'not set' : 'default' };
}

/**
 * Value of one setting.
 * @throws WssessError `usage` naming the flag or variable that holds something else
 */
export function read<N extends SettingName>(
  name: N,
  flags: Readonly<Record<string, unknown>>,
  env: NodeJS.ProcessEnv,
): Values[N] {
  const { text, source } = resolve(name, flags, env);
  return (text === undefined ? undefined : parse(SETTINGS[name] as Setting, text, source)) as Values[N];
}

function parse(one: Setting, text: string, source: string): Types[keyof Types] {
  const wrong = (want: string): never => {
    const shown = one.type === 'secret' ? 'what it holds' : JSON.stringify(text);
    throw new WssessError('usage', `${source}: ${shown} is not ${want}`, {
      advice: `${one.help[0]!.toUpperCase()}${one.help.slice(1)}.`,
    });
  };
  const between = (value: number, show: (n: number) => string): number => {
    const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = one;
    return value >= min && value <= max ? value : wrong(`between ${show(min)} and ${show(max)}`);
  };
  switch (one.type) {
    case 'text':
      return one.pattern && !one.pattern.test(text) ? wrong(`a ${one.key.split('.')[1]} as wssess takes it`) : text;
    case 'switch':
      return SWITCH.get(text.toLowerCase()) ?? wrong('true or false');
    case 'secret': {
      const { min = 1, pattern } = one;
      if (Buffer.byteLength(text) < min) return wrong(`at least ${min} bytes long`);
      return pattern && !pattern.test(text) ? wrong('printable ASCII without spaces') : text;
    }
    case 'integer':
      return between(/^\d{1,15}$/.test(text) ? Number(text) : wrong('a whole number'), String);
    case 'bytes': {
      const parts = /^(\d{1,12})([km]?)$/i.exec(text) ?? wrong('a number of bytes, like 65536, 64k or 1m');
      const unit = { '': 1, k: 1 << 10, m: 1 << 20 }[parts[2]!.toLowerCase()]!;
      return between(Number(parts[1]) * unit, String);
    }
    case 'duration':
      return between(parseDuration(text) ?? wrong('a duration, like 2s, 15m, 24h or 7d'), formatDuration);
    case 'durations': {
      const both = text.split(',').map((part) => parseDuration(part.trim()));
      const [send, receive] = both;
      if (both.length !== 2 || send === undefined || receive === undefined) return wrong('two durations, like 10s,10s');
      return [between(send, formatDuration), between(receive, formatDuration)];
    }
  }
}
