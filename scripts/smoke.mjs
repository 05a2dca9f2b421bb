/**
 * The main job once, by the program that is named: node scripts/smoke.mjs COMMAND…, where COMMAND… is how to start
 * wssess (a path to bin/wssess.js by default). A Redis of its own, serve, a stompjs client, who, kick, stop.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@stomp/stompjs';
import { WebSocket } from 'ws';
import { ownRedis } from './own-redis.mjs';

const given = process.argv.slice(2);
const [command, ...before] =
  given.length > 0 ? given : [process.execPath, join(import.meta.dirname, '../bin/wssess.js')];
const redis = await ownRedis();
process.env.WSSESS_REDIS_URL = redis.url;

const folder = mkdtempSync(join(tmpdir(), 'wssess-smoke-'));
const readyFile = join(folder, 'ready.json');
const serve = spawn(command, [...before, 'serve', '--port', '0', '--ready-file', readyFile], {
  stdio: ['ignore', 'ignore', 'inherit'],
});
const ended = once(serve, 'exit');
process.once('exit', () => {
  serve.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const guard = AbortSignal.timeout(20_000);
while (!existsSync(readyFile)) {
  assert.equal(serve.exitCode, null, 'serve ended before it was ready');
  assert.ok(!guard.aborted, 'serve was not ready in time');
  await new Promise((wake) => setTimeout(wake, 20));
}
const { url } = JSON.parse(readFileSync(readyFile, 'utf8'));

const client = new Client({
  webSocketFactory: () => new WebSocket(`${url.replace('http', 'ws')}/ws`, ['v12.stomp']),
  connectHeaders: { userId: 'cust01', userRole: 'CUSTOMER' },
  reconnectDelay: 0,
});
const connected = new Promise((resolve, reject) => {
  client.onConnect = ({ headers }) => resolve(headers.session);
  client.onWebSocketError = reject;
});
const closed = new Promise((resolve) => {
  client.onWebSocketClose = resolve;
});
client.activate();
const session = await connected;

assert.deepEqual(wssess('who', 'cust01', '-o', 'json').sessions[0].session_id, session);
const [{ outcome }] = wssess('kick', session, '--reason', 'smoke', '-o', 'json').results;
assert.equal(outcome, 'kicked');
const { code, reason } = await closed;
assert.deepEqual([code, reason], [4001, 'smoke']);
assert.equal(redis.cli('KEYS', 'ws:session:*'), '');

serve.kill('SIGTERM');
assert.deepEqual(await ended, [0, null], 'serve ends with 0 at SIGTERM');
console.log(`ok: ${execFileSync(command, [...before, '--version'], { encoding: 'utf8' }).trim()} by ${command}`);
process.exit(0);

function wssess(...args) {
  return JSON.parse(execFileSync(command, [...before, ...args], { encoding: 'utf8' }));
}
