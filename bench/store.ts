/**
 * The embedded store beside a real Redis, in one run: `npm run bench:store`. Each store runs in a process of its own
 * and is driven by the same registry. Both share the machine with the driver: read the ratios.
 */

import { fork, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import type { Details } from '../src/sessions/model.ts';
import { NO_LOAD } from '../src/sessions/nodes.ts';
import { SCRIPTS } from '../src/sessions/scripts.gen.ts';
import { openSessions, type Sessions } from '../src/sessions/sessions.ts';
import { connect } from '../src/store/connect.ts';
import { startEmbedded } from '../src/store/embedded/server.ts';

const SESSIONS = 100_000;
const AT_A_TIME = 50;
const INCARNATION = 'incarnation-0001';
const PASSWORD = 'bench';

interface Subject {
  name: string;
  port: number;
  pid: number;
  stop(): void;
}

if (process.argv[2] === 'serve') {
  const { port } = await startEmbedded({ password: PASSWORD, scripts: SCRIPTS });
  process.send!(port);
} else {
  const rows: Record<string, string>[] = [];
  for (const start of [startOwn, startReal]) {
    const subject = await start();
    try {
      rows.push({ store: subject.name, ...(await measure(subject)) });
    } finally {
      subject.stop();
    }
  }
  const columns = Object.keys(rows[0]!);
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  console.log(
    [columns, columns.map(() => '---'), ...rows.map((row) => columns.map((name) => row[name]!))].map(line).join('\n'),
  );
}

async function startOwn(): Promise<Subject> {
  const child = fork(fileURLToPath(import.meta.url), ['serve']);
  const port = await new Promise<number>((resolve) => child.once('message', (message) => resolve(message as number)));
  return { name: 'embedded', port, pid: child.pid!, stop: () => child.kill('SIGKILL') };
}

async function startReal(): Promise<Subject> {
  const probe = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => probe.once('listening', resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--requirepass', PASSWORD];
  const child = spawn('redis-server', args, { stdio: 'ignore' });
  child.once('error', () => {
    console.error('error: redis-server is not installed. Install it: apt-get install redis-server.');
    process.exit(1);
  });
  return { name: 'Redis', port, pid: child.pid!, stop: () => child.kill('SIGKILL') };
}

async function measure({ port, pid }: Subject): Promise<Record<string, string>> {
  const sessions = openSessions(await open(port), 'ws');
  const before = residentBytes(pid);
  const start = performance.now();
  await registerAll(sessions);
  const registered = SESSIONS / ((performance.now() - start) / 1000);
  const memory = (residentBytes(pid) - before) / SESSIONS;
  const idle = await pings(port, async () => void (await new Promise((resolve) => setTimeout(resolve, 1000))));
  let listed = 0;
  let seconds = 0;
  const busy = await pings(port, async () => {
    const from = performance.now();
    for await (const page of sessions.directory.walk()) listed += page.sessions.length;
    seconds = (performance.now() - from) / 1000;
  });
  if (listed !== SESSIONS) throw new Error(`listed ${listed} of ${SESSIONS}`);
  sessions.store.close();
  return {
    'registrations a second': registered.toFixed(0),
    'resident bytes a session': memory.toFixed(0),
    'sessions listed a second': (listed / seconds).toFixed(0),
    'ping p99, idle': `${idle.toFixed(2)} ms`,
    'ping p99, while 100,000 are listed': `${busy.toFixed(2)} ms`,
  };
}

/** @returns a store once it answers */
async function open(port: number): ReturnType<typeof connect> {
  const options = { url: `redis://:${PASSWORD}@127.0.0.1:${port}`, source: 'bench', timeout: 30_000, lasting: false };
  for (let attempt = 0; ; attempt++) {
    try {
      return await connect(options);
    } catch (error) {
      if (attempt > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function registerAll({ nodes, registry }: Sessions): Promise<void> {
  const info = {
    name: 'n1',
    incarnation: INCARNATION,
    url: '',
    host: '',
    pid: 1,
    version: '1',
    started_at: '',
    sessions: 0,
    ...NO_LOAD,
  };
  await nodes.hold(info);
  const renewal = setInterval(() => void nodes.hold(info), 2000);
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < SESSIONS; i = next++)
      await registry.register(`Zk3vQ8xw${String(i).padStart(8, '0')}`, detailsOf(i));
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  clearInterval(renewal);
}

function detailsOf(i: number): Details {
  return {
    node: 'n1',
    incarnation: INCARNATION,
    user: `cust${i >> 1}`,
    role: 'CUSTOMER',
    ip: '203.0.113.7',
    port: 50_000,
    connectedAt: 1_763_761_914_000 + i,
    version: '1.2',
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
    ttl: 86_400_000,
  };
}

/** p99 in ms of the pings of another client while `work` goes on. */
async function pings(port: number, work: () => Promise<void>): Promise<number> {
  const client = new Redis({ port, host: '127.0.0.1', password: PASSWORD });
  await client.ping();
  const times: number[] = [];
  let done = false;
  const ended = work().finally(() => {
    done = true;
  });
  while (!done) {
    const start = performance.now();
    await client.ping();
    times.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await ended;
  client.disconnect();
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)]!;
}

/** Of a process, as Linux counts them. */
function residentBytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) * 1024;
}
