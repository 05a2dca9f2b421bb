/** A real redis-server of the test's own, on a free port; tests that need one are skipped where there is none. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { Redis } from 'ioredis';
import { describe } from 'vitest';
import { until } from './wait.ts';

const installed = spawnSync('redis-server', ['--version']).status === 0;
if (!installed && process.env.WSSESS_TEST_REQUIRE) throw new Error('redis-server is not installed, and must be here');

/** `describe`, skipped and shown so where redis-server isn't installed. */
export const describeWithRedis = installed ? describe : describe.skip;

export interface TestRedis {
  port: number;
  url: string;
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

/** @param args more of redis-server's, like `--requirepass` */
export async function startRedis(...args: string[]): Promise<TestRedis> {
  const port = await freePort();
  const password = args[args.indexOf('--requirepass') + 1];
  const auth = args.includes('--requirepass') && password !== undefined ? { password } : {};
  const launch = () =>
    spawn(
      'redis-server',
      ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', ...args],
      {
        stdio: 'ignore',
      },
    );
  let server = launch();
  const client = new Redis({ port, host: '127.0.0.1', lazyConnect: true, retryStrategy: () => 50, ...auth });
  client.on('error', () => {});
  const answering = () =>
    until(async () => (await client.ping().catch(() => '')) === 'PONG', 10_000, 'redis-server to answer');
  const ended = () =>
    new Promise<void>((resolve) =>
      server.exitCode === null && server.signalCode === null ? server.once('exit', () => resolve()) : resolve(),
    );
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
      await ended();
    },
    async restart() {
      server = launch();
      await answering();
    },
    async stop() {
      client.disconnect();
      server.kill('SIGKILL');
      await ended();
    },
  };
}
