/** Several redis-servers that belong together: what a Cluster and a Sentinel set have in common. */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, Redis } from 'ioredis';
import { ended, freePort, launch, type TestRedis } from './redis.ts';
import { until } from './wait.ts';

/** One of them. */
export interface Member {
  port: number;
  process: ChildProcess;
  /** As its administrator. */
  client: Redis;
}

export class Group {
  readonly folder = mkdtempSync(join(tmpdir(), 'wssess-test-redis-'));
  readonly members: Member[] = [];

  /** Starts one more. @param argsOf those of redis-server, once its port is known */
  async add(argsOf: (port: number) => readonly string[] | Promise<readonly string[]>, password = ''): Promise<Member> {
    const port = await freePort();
    const process = launch(await argsOf(port));
    const own = password && { password };
    const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50, maxRetriesPerRequest: 0, ...own });
    client.on('error', () => {});
    const member = { port, process, client };
    this.members.push(member);
    await until(async () => (await client.ping().catch(() => '')) === 'PONG', 10_000, 'redis-server to answer');
    return member;
  }

  at(port: number): Member {
    return this.members.find((one) => one.port === port)!;
  }

  async stop(): Promise<void> {
    for (const { client, process } of this.members) {
      client.disconnect();
      process.kill('SIGKILL');
    }
    await Promise.all(this.members.map(({ process }) => ended(process)));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The shape of one Redis for a member that has the keys, for tests that run on each kind of store. */
export function asTestRedis(group: Group, { port, client, process }: Member, url: string, prefix = 'ws'): TestRedis {
  const [from, to] = ['ws:', `${prefix}:`];
  const mine = from === to ? client : renaming(client, from, to);
  const single = (): never => {
    throw new Error('it is one of several: their own tests do this');
  };
  return {
    port,
    url,
    prefix,
    client: mine,
    cli: (...words) =>
      execFileSync('redis-cli', ['-p', String(port), ...words.map((word) => renamed(word, from, to))], {
        encoding: 'utf8',
      }).replace(/\n$/, ''),
    keys: async () => (await mine.keys('*')).sort(),
    pause: () => void process.kill('SIGSTOP'),
    resume: () => void process.kill('SIGCONT'),
    kill: single,
    restart: single,
    stop: () => group.stop(),
  };
}

function renamed<T>(value: T, from: string, to: string): T {
  const rename = (text: string) => (text.startsWith(from) ? to + text.slice(from.length) : text);
  if (Buffer.isBuffer(value)) return Buffer.from(rename(value.toString('latin1')), 'latin1') as T;
  return (typeof value === 'string' ? rename(value) : value) as T;
}

/** The client, with keys and channels renamed on the way there and back: tests say `ws:…` where a Cluster needs a tag. */
function renaming(client: Redis, from: string, to: string): Redis {
  const back = (value: unknown): unknown => (Array.isArray(value) ? value.map(back) : renamed(value, to, from));
  const send = client.sendCommand.bind(client);
  client.sendCommand = (command: Command, ...rest) => {
    command.args = command.args.map((one) => renamed(one, from, to));
    const { transformReply } = command;
    command.transformReply = (reply) => back(transformReply.call(command, reply)) as typeof reply;
    return send(command, ...rest);
  };
  return client;
}
