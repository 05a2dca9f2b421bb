/** `wssess serve`: runs the session server until a signal. */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { EXIT, WssessError } from '../../common/errors.ts';
import { maskUrl, redisAddress } from '../../common/redis-address.ts';
import { read, type SettingName } from '../../common/settings.ts';
import { VERSION } from '../../common/version.ts';
import { openSessions } from '../../sessions/sessions.ts';
import type { Io } from '../io.ts';
import { addSettings, addStore, type Flags } from '../options.ts';

const OWN: readonly SettingName[] = [
  'host',
  'port',
  'node',
  'ttl',
  'heartBeat',
  'connectTimeout',
  'maxHeaders',
  'maxHeader',
  'maxBody',
  'maxSubscriptions',
  'maxBuffer',
  'restAllMax',
];
/** Oldest Redis whose commands and script flags are used here. */
const LEAST_REDIS = 7;

export function define(command: Command): void {
  addStore(command);
  addSettings(command, ...OWN);
  command.option('--ready-file <file>', 'write what it listens on, as JSON, once it is ready').addHelpText(
    'after',
    `
STOMP clients connect by WebSocket to /ws or /connection/websocket, programs ask /api/session, /healthz, /readyz.
No key can be named yet: the CONNECT headers userId (or login) and userRole are trusted, on loopback only.

Example:
  WSSESS_REDIS_URL=redis://127.0.0.1:6379 wssess serve --port 28070`,
  );
}

export async function run(_args: string[], flags: Flags, io: Io): Promise<number> {
  const get = <N extends SettingName>(name: N) => read(name, flags, io.env);
  const address = redisAddress(flags, io.env);
  const [send, receive] = get('heartBeat');
  const options = {
    host: get('host'),
    port: get('port'),
    node: get('node'),
    ttl: get('ttl'),
    heartBeat: { send, receive },
    connectTimeout: get('connectTimeout'),
    limits: { maxHeaders: get('maxHeaders'), maxHeaderBytes: get('maxHeader'), maxBody: get('maxBody') },
    maxSubscriptions: get('maxSubscriptions'),
    maxBuffer: get('maxBuffer'),
    restAllMax: get('restAllMax'),
  };
  const prefix = get('prefix');
  const timeout = get('redisTimeout');
  const { checkHost, Server, makeLog } = await import('../../server/server.ts');
  checkHost(options.host);
  const { connect } = await import('../../store/connect.ts');

  const log = makeLog(io.err);
  const store = await connect({ ...address, timeout, lasting: true });
  try {
    await checkRedis(store);
    const server = new Server(options, openSessions(store, prefix), log);
    const stopped = new Promise<NodeJS.Signals>((resolve) => io.onSignal(resolve));
    await server.start();
    const store_ = maskUrl(address.url);
    await io.out(
      `wssess ${VERSION} is ready: STOMP on ${server.url.replace('http', 'ws')}/ws, REST on ${server.url}, ` +
        `node ${server.node}, Redis ${store.where}, prefix ${prefix}\n`,
    );
    log.warn('no key is named: the CONNECT headers userId (or login) and userRole are trusted, on loopback only');
    const readyFile = flags.readyFile as string | undefined;
    if (readyFile) {
      writeReady(readyFile, { url: server.url, node: server.node, store: store_, prefix, pid: process.pid });
    }
    log.info(`${await stopped}: closing all sessions`);
    await server.stop();
    if (readyFile) rmSync(readyFile, { force: true });
    return EXIT.ok;
  } finally {
    store.close();
  }
}

/** Whole or not at all: whoever waits for the file reads it as soon as it is there. */
function writeReady(file: string, ready: object): void {
  try {
    writeFileSync(`${file}.part`, `${JSON.stringify(ready)}\n`);
    renameSync(`${file}.part`, file);
  } catch (cause) {
    throw new WssessError('usage', `--ready-file ${file}: ${(cause as NodeJS.ErrnoException).code}`, {
      advice: 'Name a file that can be written.',
      cause,
    });
  }
}

async function checkRedis(store: {
  call<T>(...command: [string, ...string[]]): Promise<T>;
  where: string;
}): Promise<void> {
  const info = await store.call<string>('INFO', 'server');
  const version = /^redis_version:(\d+)/m.exec(info)?.[1];
  if (version !== undefined && Number(version) < LEAST_REDIS) {
    throw new WssessError('redis_refused', `Redis at ${store.where} has version ${version}`, {
      advice: `wssess needs Redis ${LEAST_REDIS}.0 or Valkey 8, or newer.`,
    });
  }
}
