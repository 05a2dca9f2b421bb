/** `wssess serve`: runs the session server until a signal. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { wordsOf } from '../../common/errno.ts';
import { EXIT, WssessError } from '../../common/errors.ts';
import { maskUrl, type RedisAddress, redisAddress } from '../../common/redis-address.ts';
import { read, type SettingName } from '../../common/settings.ts';
import { formatDuration } from '../../common/time.ts';
import { VERSION } from '../../common/version.ts';
import type { Log } from '../../server/log.ts';
import type { ServerOptions } from '../../server/options.ts';
import { SCRIPTS } from '../../sessions/scripts.gen.ts';
import { openSessions } from '../../sessions/sessions.ts';
import type { Store } from '../../store/store.ts';
import { stateFile } from '../find-store.ts';
import type { Io } from '../io.ts';
import { addSettings, addStore, type Flags } from '../options.ts';

const OWN: readonly SettingName[] = [
  'host',
  'port',
  'node',
  'ttl',
  'maxUserSessions',
  'redisDown',
  'heartBeat',
  'connectTimeout',
  'connectRate',
  'maxHeaders',
  'maxHeader',
  'maxBody',
  'maxSubscriptions',
  'maxUnacked',
  'maxTransactions',
  'maxTransactionBytes',
  'maxQueue',
  'maxQueues',
  'queueTtl',
  'sendRoles',
  'maxBuffer',
  'restAllMax',
  'jwtPublicKey',
  'jwksUrl',
  'jwtIssuer',
  'jwtAudience',
  'jwtRoleClaim',
  'jwtSkew',
  'allowNoExp',
  'insecure',
];
/** Oldest Redis whose commands and script flags are used here. */
const LEAST_REDIS = 7;

export function define(command: Command): void {
  addStore(command);
  addSettings(command, ...OWN);
  command.option('--ready-file <file>', 'write what it listens on, as JSON, once it is ready').addHelpText(
    'after',
    `
STOMP clients connect by WebSocket to /ws or /connection/websocket, programs ask
/api/session, /healthz, /readyz. Without a Redis that is named, the sessions are
kept in an embedded store: in this process, and only as long as it lives. Other
commands find it by themselves.

Clients need a token (JWT) as soon as a key is named: --jwt-public-key,
--jwks-url, or the secret in WSSESS_JWT_SECRET. Without one the CONNECT headers
userId (or login) and userRole are trusted, on loopback only. REST needs a
bearer token once WSSESS_API_TOKEN (may read and act) or WSSESS_API_VIEWER_TOKEN
(may read) is set. Off loopback both are needed, or --insecure.

SIGTERM and Ctrl-C close all sessions and unregister them; then the exit code is
0. A second one ends it at once: 143, after Ctrl-C 130.

Example:
  WSSESS_REDIS_URL=redis://127.0.0.1:6379 wssess serve --port 28070`,
  );
}

export async function run(_args: string[], flags: Flags, io: Io): Promise<number> {
  const get = <N extends SettingName>(name: N) => read(name, flags, io.env);
  const named = redisAddress(flags, io.env);
  const { makeLog, Server, serverOptions } = await import('../../server/server.ts');
  const { checkAccess, openDoors } = await import('../../server/app/access.ts');
  const options = serverOptions(get);
  const prefix = get('prefix');
  const timeout = get('redisTimeout');
  checkAccess(options.host, options.access);
  const log = makeLog(io.err);
  const opened = named
    ? await openNamed({ ...named, prefix }, timeout)
    : await openOwn(timeout, prefix, stateFile(flags, io), log);
  try {
    const server = new Server(options, openSessions(opened.store, prefix), log);
    const stopped = new Promise<NodeJS.Signals>((resolve) => io.onSignal(resolve));
    await server.start();
    await io.out(
      `wssess ${VERSION} is ready: STOMP on ${server.url.replace('http', 'ws')}/ws, REST on ${server.url}, ` +
        `node ${server.node}, ${opened.what}, prefix ${prefix}\n${opened.more}`,
    );
    for (const warning of [...openDoors(options.host, options.access), ...oddBeats(options)]) log.warn(warning);
    const readyFile = flags.readyFile as string | undefined;
    if (readyFile) {
      writeReady(readyFile, { url: server.url, node: server.node, store: opened.url, prefix, pid: process.pid });
    }
    const why = await Promise.race([stopped, server.replaced]);
    log.info(`${why instanceof WssessError ? 'replaced' : why}: closing all sessions`);
    await server.stop();
    if (readyFile) rmSync(readyFile, { force: true });
    if (why instanceof WssessError) throw why;
    return EXIT.ok;
  } finally {
    await opened.close();
  }
}

/** Milliseconds: who wants heart-beats wants to know sooner. */
const LONG_BEAT = 15 * 60_000;

/** What STOMP writes as 10000 is 10s in a setting: told to whoever wrote it the other way. */
function oddBeats({ heartBeat }: ServerOptions): string[] {
  const both = [heartBeat.send, heartBeat.receive];
  if (both.every((ms) => ms <= LONG_BEAT)) return [];
  const meant = both.map((ms) => formatDuration(ms > LONG_BEAT ? ms / 1000 : ms)).join(',');
  const read = both.map(formatDuration).join(',');
  return [`--heart-beat is ${read}, since a bare number is seconds: write ${meant} if milliseconds were meant`];
}

/** The store that a server runs on. */
interface Opened {
  store: Store;
  /** For the ready line. */
  what: string;
  /** More lines behind it. */
  more: string;
  /** For the ready file; without a password. */
  url: string;
  close(): Promise<void> | void;
}

async function openNamed(address: RedisAddress & { prefix: string }, timeout: number): Promise<Opened> {
  const { connect } = await import('../../store/connect.ts');
  const store = await connect({ ...address, timeout, lasting: true });
  try {
    await checkRedis(store);
  } catch (error) {
    store.close();
    throw error;
  }
  return { store, what: `Redis ${store.where}`, more: '', url: maskUrl(address.url), close: () => store.close() };
}

async function openOwn(timeout: number, prefix: string, file: string, log: Log): Promise<Opened> {
  const onFault = (error: Error) => log.warn(`a fault of the embedded store: ${error.stack}`);
  const { openEmbedded } = await import('../../store/embedded.ts');
  const { store, address, port, close } = await openEmbedded({
    timeout,
    prefix,
    scripts: SCRIPTS,
    stateFile: file,
    onFault,
  });
  const quoted = /^[\w@%+=:,./-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`; // for sh
  const more = `No Redis is named: the sessions are in this process and end with it. On a Redis of yours:
  WSSESS_REDIS_URL=redis://host:6379 wssess serve
In another terminal: wssess ls, wssess who USER; or look at the keys themselves:
  REDISCLI_AUTH=$(sed 's/.*"password":"\\([^"]*\\)".*/\\1/' ${quoted}) redis-cli -p ${port}
`;
  return { store, what: `embedded store on ${address}`, more, url: `redis://${address}`, close };
}

/** Whole or not at all: whoever waits for the file reads it as soon as it is there. */
function writeReady(file: string, ready: object): void {
  try {
    writeFileSync(`${file}.part`, `${JSON.stringify(ready)}\n`);
    renameSync(`${file}.part`, file);
  } catch (cause) {
    throw new WssessError('usage', `--ready-file ${file}: ${wordsOf(cause)}`, {
      advice: 'Name a file that can be written.',
      cause,
    });
  }
}

async function checkRedis(store: Store): Promise<void> {
  const info = await store.call<string>('INFO', 'server');
  const version = /^redis_version:(\d+)/m.exec(info)?.[1];
  if (version !== undefined && Number(version) < LEAST_REDIS) {
    throw new WssessError('redis_refused', `Redis at ${store.where} has version ${version}`, {
      advice: `wssess needs Redis ${LEAST_REDIS}.0 or Valkey 8, or newer.`,
    });
  }
}
