/** The program as its user runs it: bin/wssess.js in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until, within } from './wait.ts';

export const BIN = join(import.meta.dirname, '../../bin/wssess.js');

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

interface RunOptions {
  /** Beside a bare PATH; nothing of the machine's WSSESS_* comes through. */
  env?: Record<string, string>;
  /** Standard input; closed when not given. */
  input?: string;
  /** Milliseconds. */
  patience?: number;
}

/** Nobody makes this folder: an embedded store of the machine's own is never found, and a test names its own. */
const NO_STATE = join(tmpdir(), `wssess-test-no-state-${process.pid}`);

export function environment(env: Record<string, string> = {}): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith('WSSESS_') && name !== 'NO_COLOR');
  return { ...Object.fromEntries(own), XDG_STATE_HOME: NO_STATE, ...env };
}

/** Runs `wssess ARGS` to its end. */
export async function wssess(args: string[], { env, input, patience = 30_000 }: RunOptions = {}): Promise<Ran> {
  const child = spawn(process.execPath, [BIN, ...args], { env: environment(env) });
  const ran: Ran = { code: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    ran.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    ran.stderr += text;
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input ?? '');
  try {
    ran.code = await within(exitOf(child), patience, `wssess ${args.join(' ')}`);
  } finally {
    child.kill('SIGKILL');
  }
  return ran;
}

export interface Serve {
  /** http://127.0.0.1:port */
  url: string;
  /** ws://127.0.0.1:port/ws */
  ws: string;
  port: number;
  node: string;
  process: ChildProcess;
  stdout(): string;
  stderr(): string;
  /** Sends a signal (SIGTERM) and waits for the end. @returns the exit code, null after SIGKILL */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** GET, or another method, on the REST door. */
  rest(path: string, method?: string, headers?: Record<string, string>): Promise<{ status: number; body: any }>;
}

/** Starts `wssess serve --port 0` on a Redis, and waits until it is ready. */
export async function startServe(
  redisUrl: string,
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<Serve> {
  const folder = mkdtempSync(join(tmpdir(), 'wssess-test-'));
  const readyFile = join(folder, 'ready.json');
  const port = args.includes('--port') ? [] : ['--port', '0'];
  const child = spawn(process.execPath, [BIN, 'serve', ...port, '--ready-file', readyFile, ...args], {
    env: environment({ WSSESS_REDIS_URL: redisUrl, ...env }),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  await until(
    () => {
      if (child.exitCode !== null) throw new Error(`serve ended with ${child.exitCode}: ${stderr}`);
      return existsSync(readyFile);
    },
    20_000,
    'serve to be ready',
  );
  const { url, node } = JSON.parse(readFileSync(readyFile, 'utf8')) as { url: string; node: string };
  rmSync(folder, { recursive: true });
  return {
    url,
    ws: `${url.replace('http', 'ws')}/ws`,
    port: Number(new URL(url).port),
    node,
    process: child,
    stdout: () => stdout,
    stderr: () => stderr,
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      return within(exitOf(child), 20_000, 'serve to end');
    },
    async rest(path, method = 'GET', headers = {}) {
      const response = await fetch(url + path, { method, headers });
      return { status: response.status, body: await response.json() };
    },
  };
}

function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once('close', (code) => resolve(code)));
}
