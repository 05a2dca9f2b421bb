/** `wssess serve` as it starts with no Redis named, one for a test file: no session may outlive its test. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll } from 'vitest';
import type { State } from '../../src/store/state-file.ts';
import { dropClients } from './clients.ts';
import { nothingLeft } from './keys.ts';
import { type Serve, startServe } from './program.ts';

export interface Served {
  /** Where clients connect. */
  readonly ws: string;
  readonly serve: Serve;
  /** Ids of those that are registered. */
  sessions(): Promise<string[]>;
  /** Stops it by SIGTERM and starts another, on another port. */
  restart(): Promise<void>;
}

export function serveForFile(args: string[] = [], env: Record<string, string> = {}): Served {
  let folder: string;
  let serve: Serve;
  let client: Redis;
  const start = async () => {
    const file = join(folder, 'embedded.json');
    serve = await startServe('', ['--state-file', file, ...args], env);
    const state = JSON.parse(readFileSync(file, 'utf8')) as State;
    client = new Redis({ port: state.port, password: state.password });
    client.on('error', () => {});
  };
  const stop = async () => {
    client?.disconnect();
    await serve?.stop();
  };
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'wssess-test-'));
    await start();
  });
  afterEach(async () => {
    dropClients();
    await nothingLeft({ keys: () => client.keys('*') });
  });
  afterAll(async () => {
    await stop();
    rmSync(folder, { recursive: true });
  });
  return {
    get ws() {
      return serve.ws;
    },
    get serve() {
      return serve;
    },
    sessions: () => client.smembers('ws:sessions:all'),
    async restart() {
      await stop();
      await start();
    },
  };
}
