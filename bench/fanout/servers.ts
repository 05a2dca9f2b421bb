/** The servers that are compared, each in a process of its own. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { WebSocketServer } from 'ws';

export interface Subject {
  name: string;
  port: number;
  pid: number;
  /** It speaks STOMP; else what it gets goes to everyone. */
  stomp: boolean;
  /** It answers SUBSCRIBE with a RECEIPT; stomp-broker-js has none. */
  receipts: boolean;
  stop(): void;
}

const BIN = fileURLToPath(new URL('../../bin/wssess.js', import.meta.url));

/** wssess itself, on its embedded store. */
export async function startWssess(): Promise<Subject> {
  const folder = mkdtempSync(join(tmpdir(), 'wssess-bench-'));
  const ready = join(folder, 'ready.json');
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('WSSESS_')));
  const args = ['serve', '--port', '0', '--ready-file', ready, '--state-file', join(folder, 'state.json')];
  const child = spawn(process.execPath, [BIN, ...args], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  while (!existsSync(ready)) {
    if (child.exitCode !== null) throw new Error(`wssess serve ended with ${child.exitCode}`);
    await new Promise((wake) => setTimeout(wake, 50));
  }
  const { url } = JSON.parse(readFileSync(ready, 'utf8')) as { url: string };
  rmSync(folder, { recursive: true });
  return subject('wssess', child, Number(new URL(url).port), true);
}

export const startBare = (): Promise<Subject> => startFork('bare ws', 'bare', false);
export const startBroker = (): Promise<Subject> => startFork('stomp-broker-js', 'broker', true);

async function startFork(name: string, kind: string, stomp: boolean): Promise<Subject> {
  const child = fork(fileURLToPath(import.meta.url), ['serve', kind]);
  const port = await new Promise<number>((resolve) => child.once('message', (message) => resolve(message as number)));
  return subject(name, child, port, stomp);
}

function subject(name: string, child: ChildProcess, port: number, stomp: boolean): Subject {
  return { name, port, pid: child.pid!, stomp, receipts: name === 'wssess', stop: () => child.kill('SIGKILL') };
}

if (process.argv[2] === 'serve') {
  const http = createServer();
  if (process.argv[3] === 'bare') {
    // The least that a server of `ws` can do: what it got goes out again, the same buffer to each.
    const sockets = new WebSocketServer({ server: http, perMessageDeflate: false });
    sockets.on('connection', (socket) => {
      socket.on('message', (data) => {
        for (const one of sockets.clients) one.send(data as Buffer, { binary: false });
      });
    });
  } else {
    const { default: Broker } = await import('stomp-broker-js');
    new Broker({ server: http, path: '/ws', heartbeat: [0, 0] });
  }
  http.listen(0, '127.0.0.1', () => process.send!((http.address() as { port: number }).port));
}
