/**
 * Bytes that a session takes in Redis, key by key: `npm run bench:keys`. Starts a redis-server of its own, registers
 * 20,000 sessions of 10,000 users through the registry, and asks MEMORY USAGE and INFO memory.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import type { Details } from '../src/sessions/model.ts';
import { NO_LOAD } from '../src/sessions/nodes.ts';
import { openSessions } from '../src/sessions/sessions.ts';
import { connect } from '../src/store/connect.ts';
import type { Store } from '../src/store/store.ts';

const SESSIONS = 20_000;
const INCARNATION = 'incarnation-0001';

const server = createServer().listen(0, '127.0.0.1');
await new Promise((resolve) => server.once('listening', resolve));
const { port } = server.address() as { port: number };
await new Promise((resolve) => server.close(resolve));
const redis = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', ''], { stdio: 'ignore' });
redis.once('error', () => {
  console.error('error: redis-server is not installed. Install it: apt-get install redis-server.');
  process.exit(1);
});
try {
  await measure(await open());
} finally {
  redis.kill('SIGKILL');
}

async function open(): Promise<Store> {
  const options = { url: `redis://127.0.0.1:${port}`, source: 'bench', timeout: 10_000, lasting: false };
  for (let attempt = 0; ; attempt++) {
    try {
      return await connect(options);
    } catch (error) {
      if (attempt > 100) throw error;
      await new Promise((wake) => setTimeout(wake, 50));
    }
  }
}

async function measure(store: Store): Promise<void> {
  const { registry, nodes, keys, directory } = openSessions(store, 'ws');
  const node = { name: 'chat-1', incarnation: INCARNATION };
  await nodes.hold({ ...node, url: '', host: '', pid: 1, version: '', started_at: '', sessions: 0, ...NO_LOAD });
  const used = async () => Number(/^used_memory_dataset:(\d+)/m.exec(await store.call('INFO', 'memory'))![1]);
  const before = await used();
  const id = (i: number) => `session${String(i).padStart(9, '0')}`;
  for (let i = 0; i < SESSIONS; i += 100) {
    await Promise.all(Array.from({ length: 100 }, (_, k) => registry.register(id(i + k), details(i + k))));
  }
  const total = ((await used()) - before) / SESSIONS;
  const of = async (key: string) => store.call<number>('MEMORY', 'USAGE', key, 'SAMPLES', 0);
  const rows: [string, number][] = [
    ['{prefix}:session:{id}', await of(keys.session(id(7)))],
    ['{prefix}:session:{id}:role', await of(keys.role(id(7)))],
    ['{prefix}:user:{user}, two sessions a user', (await of(keys.user('customer00007'))) / 2],
    ['{prefix}:sessions:all', (await of(keys.all)) / SESSIONS],
    ['{prefix}:x:details:{id}', await of(keys.details(id(7)))],
    ['{prefix}:x:newest', (await of(keys.newest)) / SESSIONS],
    ['{prefix}:x:own:{incarnation}', (await of(keys.own(INCARNATION))) / SESSIONS],
    ['{prefix}:x:users, two sessions a user', (await of(keys.users)) / SESSIONS],
  ];
  await store.call('DEL', keys.lease(node.name));
  await registry.reap([(await directory.get(id(7)))!]);
  const lost = await of(keys.lost(id(7)));
  console.log(`Redis ${/redis_version:(\S+)/.exec(await store.call('INFO', 'server'))![1]}, ${SESSIONS} sessions\n`);
  console.log('| key | bytes a session |\n|---|---|');
  for (const [key, bytes] of rows) console.log(`| \`${key}\` | ${Math.round(bytes)} |`);
  console.log(`| all, with Redis's own tables (INFO memory) | ${Math.round(total)} |`);
  console.log(`\nOnce it was reaped with its node, \`{prefix}:x:lost:{id}\`: ${lost} bytes for an hour`);
  store.close();
}

function details(i: number): Details {
  return {
    node: 'chat-1',
    incarnation: INCARNATION,
    user: `customer${String(i % (SESSIONS / 2)).padStart(5, '0')}`,
    role: 'CUSTOMER',
    ip: '10.1.4.7',
    port: 50_000,
    connectedAt: Date.now(),
    version: '1.2',
    userAgent:
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36',
    ttl: 86_400_000,
  };
}
