/** A real redis-server of the test's own, on a free port; tests that need one are skipped where there is none. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { Redis } from 'ioredis';
import { describe } from 'vitest';
import { until } from './wait.ts';

/** `describe`, skipped and shown so where this program isn't installed. */
function describeWith(program: string): typeof describe | typeof describe.skip {
  if (spawnSync(program, ['--version']).status === 0) return describe;
  if (process.env.WSSESS_TEST_REQUIRE) throw new Error(`${program} is not installed, and must be here`);
  return describe.skip;
}

export const describeWithRedis = describeWith('redis-server');
export const describeWithValkey = describeWith('valkey-server');

export interface TestRedis {
  port: number;
  url: string;
  /** Of the keys, where it isn't `ws`. */
  prefix?: string;
  /** A client of the test's own, beside wssess. */
  client: Redis;
  /** What `redis-cli` prints, without the last newline. */
  cli(...args: string[]): string;
  /** All keys, sorted. */
  keys(): Promise<string[]>;
  pause(): void;
  resume(): void;
  /** Kills it; `restart` brings it back, empty, on the same port. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Arguments of a server that keeps nothing on disk, and finds nothing there: a replica leaves its dump.rdb behind. */
export function plain(port: number, folder = tmpdir()): string[] {
  const nowhere = ['--dir', folder, '--dbfilename', `wssess-test-${port}.rdb`, '--save', '', '--appendonly', 'no'];
  return ['--port', String(port), '--bind', '127.0.0.1', ...nowhere];
}

export function launch(args: readonly string[], program = 'redis-server'): ChildProcess {
  return spawn(program, args, { stdio: 'ignore' });
}

/** Resolves when the process has ended. */
export function ended(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => server.once('exit', () => resolve()));
}

/** @param args more of redis-server's, like `--requirepass` */
export function startRedis(...args: string[]): Promise<TestRedis> {
  return startServer('redis-server', args);
}

export function startValkey(): Promise<TestRedis> {
  return startServer('valkey-server', []);
}

async function startServer(program: string, args: string[]): Promise<TestRedis> {
  const port = await freePort();
  const password = args[args.indexOf('--requirepass') + 1];
  const auth = args.includes('--requirepass') && password !== undefined ? { password } : {};
  let server = launch([...plain(port), ...args], program);
  const client = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => 50, ...auth });
  client.on('error', () => {});
  const answering = () =>
    until(async () => (await client.ping().catch(() => '')) === 'PONG', 10_000, 'redis-server to answer');
  await answering();
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    client,
    cli: (...words) =>
      execFileSync('redis-cli', ['-p', String(port), ...words], { encoding: 'utf8' }).replace(/\n$/, ''),
    keys: async () => (await client.keys('*')).sort(),
    pause: () => void server.kill('SIGSTOP'),
    resume: () => void server.kill('SIGCONT'),
    async kill() {
      server.kill('SIGKILL');
      await ended(server);
    },
    async restart() {
      server = launch([...plain(port), ...args], program);
      await answering();
    },
    async stop() {
      client.disconnect();
      server.kill('SIGKILL');
      await ended(server);
    },
  };
}
