/**
 * The one table of settings: flag, variable, key, type, default, help. `serve` and every other command read from it,
 * `wssess config` prints it, docs/settings.md is generated from it (`npm run gen`).
 * Precedence: flag, then variable, then default.
 */
import { ACCESS } from './settings-access.ts';
import { parse } from './settings-parse.ts';
import { STOMP } from './settings-stomp.ts';
import { type Setting, setting, TEN_YEARS, type Types } from './settings-type.ts';

/** Names of nodes, and what a prefix consists of. */
const NAME = /^[A-Za-z0-9_.-]{1,64}$/;
const PREFIX = /^(?:[A-Za-z0-9_.-]{1,64}|\{[A-Za-z0-9_.-]{1,64}\})$/;

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
    takes: 'a prefix of letters, digits, _ . - (64 at most), or one {…} of them',
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
  maxUserSessions: setting({
    flag: '--max-user-sessions <count>',
    variable: 'WSSESS_MAX_USER_SESSIONS',
    key: 'sessions.max_user_sessions',
    type: 'integer',
    default: '1000',
    help: 'most sessions of a user, on all nodes together; CONNECT beyond it is an ERROR; 0 is no limit',
    min: 0,
    max: 1_000_000,
  }),
  redisDown: setting({
    flag: '--redis-down <what>',
    variable: 'WSSESS_REDIS_DOWN',
    key: 'sessions.redis_down',
    type: 'choice',
    default: 'refuse',
    help: 'what CONNECT gets while Redis is away: refuse, or accept, which registers the session when Redis is back, or closes it then',
    choices: ['refuse', 'accept'],
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
    takes: 'a name of letters, digits, _ . - (64 at most)',
    example: 'chat-1',
  }),
  ...STOMP,
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
