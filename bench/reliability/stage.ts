/** A redis-server and `wssess serve` processes of this run's own, which can be killed, stopped and started again. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { freePort } from '../../scripts/own-redis.mjs';

const BIN = fileURLToPath(new URL('../../bin/wssess.js', import.meta.url));
const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

export class OwnRedis {
  readonly port: number;
  readonly client: Redis;
  #server: ChildProcess;

  private constructor(port: number) {
    this.port = port;
    this.#server = this.#launch();
    this.client = new Redis({ port, lazyConnect: true, retryStrategy: () => 20, maxRetriesPerRequest: null });
    this.client.on('error', () => {});
  }

  static async start(): Promise<OwnRedis> {
    const redis = new OwnRedis(await freePort());
    await redis.client.ping();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  #launch(): ChildProcess {
    const quiet = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    return spawnOwn('redis-server', ['--port', String(this.port), ...quiet]);
  }

  async kill(): Promise<void> {
    await end(this.#server);
  }

  /** Comes back, empty; resolves when it answers. */
  async back(): Promise<void> {
    this.#server = this.#launch();
    await this.client.ping();
  }

  async stop(): Promise<void> {
    this.client.disconnect();
    await this.kill();
  }
}

/** One `wssess serve`. */
export class Node {
  readonly name: string;
  readonly url: string;
  readonly #child: ChildProcess;

  private constructor(name: string, url: string, child: ChildProcess) {
    this.name = name;
    this.url = url;
    this.#child = child;
  }

  static async start(redis: string, name: string): Promise<Node> {
    const folder = mkdtempSync(join(tmpdir(), 'wssess-reliability-'));
    const ready = join(folder, 'ready.json');
    const args = [BIN, 'serve', '--port', '0', '--node', name, '--ready-file', ready, '--max-user-sessions', '0'];
    const child = spawnOwn(process.execPath, args, { ...process.env, WSSESS_REDIS_URL: redis });
    try {
      return new Node(name, await until(() => urlIn(ready), `${name} to be ready`), child);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    await end(this.#child);
  }

  /** GET on the REST door. */
  async get(path: string): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.url}${path}`, { signal: AbortSignal.timeout(10_000) });
    return (await response.json()) as Record<string, unknown>;
  }
}

/** Runs a command of wssess. @returns its exit code and what it printed */
export async function wssess(redis: string, ...args: string[]): Promise<{ code: number | null; stdout: string }> {
  const child = spawn(process.execPath, [BIN, ...args], {
    env: { ...process.env, WSSESS_REDIS_URL: redis },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  children.add(child);
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  children.delete(child);
  return { code, stdout };
}

/** Polls until there is a result. @returns it @throws Error after five minutes: a promise is broken by far */
export async function until<T>(look: () => T | Promise<T>, what: string, every = 20): Promise<NonNullable<T>> {
  const end = performance.now() + 300_000;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise((wake) => setTimeout(wake, every));
  }
}

function urlIn(file: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { url: string }).url;
  } catch {
    return undefined; // not yet
  }
}

function spawnOwn(command: string, args: string[], env: NodeJS.ProcessEnv = process.env): ChildProcess {
  const child = spawn(command, args, { env, stdio: 'ignore' });
  children.add(child);
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
