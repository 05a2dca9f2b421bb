/**
 * How long the sessions of a node that is killed stay, and what others of Redis wait meanwhile: `npm run bench:reap`.
 * Starts a redis-server and two servers of its own, registers sessions for one more process through the registry, lets
 * its lease end as after a SIGKILL, and pings Redis every 5 ms.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { NO_LOAD } from '../src/sessions/nodes.ts';
import { openSessions, type Sessions } from '../src/sessions/sessions.ts';
import { connect } from '../src/store/connect.ts';

const [sizes, trials] = [(process.argv[2] ?? '1000,10000').split(',').map(Number), Number(process.argv[3] ?? 5)];
const BIN = join(import.meta.dirname, '../bin/wssess.js');
const TTL = 86_400_000;

const listening = createServer().listen(0, '127.0.0.1');
await new Promise((resolve) => listening.once('listening', resolve));
const { port } = listening.address() as { port: number };
await new Promise((resolve) => listening.close(resolve));
const url = `redis://127.0.0.1:${port}`;
const children = [
  spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], { stdio: 'ignore' }),
];
try {
  const sessions = await open();
  const pinger = await open();
  for (const name of ['a', 'b']) {
    children.push(
      spawn(process.execPath, [BIN, 'serve', '--port', '0', '--node', name], {
        env: { ...process.env, WSSESS_REDIS_URL: url },
        stdio: 'ignore',
      }),
    );
  }
  await until(async () => (await sessions.nodes.list()).filter(({ alive }) => alive).length === 2);
  console.log('| sessions | p50 s | worst s | ping p50 ms | ping p99 ms | ping worst ms |\n|---|---|---|---|---|---|');
  for (const size of sizes) {
    const took: number[] = [];
    const pings: number[] = [];
    for (let trial = 0; trial < trials; trial++) took.push(await crash(sessions, pinger, size, trial, pings));
    const cells = [size, at(took, 0.5), at(took, 1), at(pings, 0.5), at(pings, 0.99), at(pings, 1)];
    console.log(`| ${cells.map((cell, i) => (i === 0 ? cell : cell.toFixed(i < 3 ? 1 : 2))).join(' | ')} |`);
  }
  sessions.store.close();
  pinger.store.close();
} finally {
  for (const child of children.reverse()) child.kill('SIGKILL');
}

/** @returns seconds from the last renewal of the lease until nothing is left */
async function crash(sessions: Sessions, pinger: Sessions, size: number, trial: number, pings: number[]) {
  const { registry, nodes, store, keys } = sessions;
  const incarnation = `bench${String(size).padStart(7, '0')}${String(trial).padStart(4, '0')}`;
  const info = { url: '', host: '', pid: 1, version: '', started_at: '', sessions: 0, ...NO_LOAD };
  const hold = () => nodes.hold({ name: 'crashes', incarnation, ...info });
  await until(async () => typeof (await hold()) === 'string');
  const renewing = setInterval(() => void hold(), 2000);
  for (let from = 0; from < size; from += 100) {
    const some = Array.from({ length: Math.min(100, size - from) }, (_, i) => from + i);
    await Promise.all(
      some.map((i) => {
        const details = { node: 'crashes', incarnation, user: `user${i >> 1}`, role: 'CUSTOMER', ip: '10.1.2.3' };
        const more = { port: 50_000, connectedAt: Date.now(), version: '1.2', userAgent: 'bench', ttl: TTL };
        return registry.register(`s${trial}-${i}`, { ...details, ...more });
      }),
    );
  }
  clearInterval(renewing);
  await hold(); // the worst moment: it has just renewed
  const began = performance.now();
  let [left, isOver] = [size, false];
  const pinging = (async () => {
    while (!isOver) {
      const sent = performance.now();
      await pinger.store.call('PING');
      if (left < size) pings.push(performance.now() - sent);
      await new Promise((wake) => setTimeout(wake, 5));
    }
  })();
  await until(async () => {
    left = await store.call<number>('SCARD', keys.all);
    return left === 0;
  });
  const took = (performance.now() - began) / 1000;
  isOver = true;
  await pinging;
  return took;
}

async function open(): Promise<Sessions> {
  const options = { url, source: 'bench', timeout: 10_000, lasting: false };
  for (let attempt = 0; ; attempt++) {
    try {
      return openSessions(await connect(options), 'ws');
    } catch (error) {
      if (attempt > 100) throw error;
      await new Promise((wake) => setTimeout(wake, 50));
    }
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((wake) => setTimeout(wake, 20));
}

function at(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
