/**
 * The main job, shown: starts a redis-server of its own, `wssess serve` and three stompjs clients, then does what an
 * engineer on call does: who is online, where, and out with that one. Ends all of it. Run: npm run first-steps
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Client } from '@stomp/stompjs';
import { WebSocket } from 'ws';

const BIN = join(import.meta.dirname, '../bin/wssess.js');
const PATIENCE = 20_000;
const children: ChildProcess[] = [];
const clients: Client[] = [];

if (spawnSync('redis-server', ['--version']).status !== 0) {
  console.error('error: redis-server is not installed. Install it: apt-get install redis-server.');
  process.exit(1);
}
const guard = setTimeout(() => {
  console.error('error: it took too long. Look at what is printed above.');
  end(1);
}, PATIENCE);

try {
  await main();
  end(0);
} catch (error) {
  console.error(`error: ${error instanceof Error ? error.message : error}`);
  end(1);
}

async function main(): Promise<void> {
  const port = await freePort();
  start('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']);
  process.env.WSSESS_REDIS_URL = `redis://127.0.0.1:${port}`;
  await connectable(port);

  say('wssess serve --node chat-1', 'the session server, on a Redis of its own');
  const server = start(process.execPath, [BIN, 'serve', '--port', '0', '--node', 'chat-1']);
  const ready = await firstLine(server);
  console.log(ready);
  const url = /ws:\/\/\S+\/ws/.exec(ready)![0];

  say('', 'three clients connect with stompjs: cust01 twice, an agent once');
  const [, phone] = [await enter(url, 'cust01', 'CUSTOMER'), await enter(url, 'cust01', 'CUSTOMER')];
  await enter(url, '상담원 김', 'AGENT');

  wssess('who', 'cust01');
  wssess('ls');
  const closed = new Promise<void>((resolve) => {
    phone.client.onWebSocketClose = ({ code, reason }) => {
      console.log(
        `\nthe client got: ERROR ${JSON.stringify(phone.error)}, then close ${code} ${JSON.stringify(reason)}`,
      );
      resolve();
    };
  });
  wssess('kick', phone.session, '--reason', 'password changed');
  await closed;
  wssess('who', 'cust01');
  wssess('stats');
  console.log('\nThat was it. On your own Redis: WSSESS_REDIS_URL=redis://host:6379 npx wssess ls');
}

/** Runs a command of wssess in the foreground, as one would type it. */
function wssess(...args: string[]): void {
  say(`wssess ${args.map((arg) => (arg.includes(' ') ? `"${arg}"` : arg)).join(' ')}`);
  const { status } = spawnSync(process.execPath, [BIN, ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`wssess ${args[0]} ended with ${status}`);
}

function say(command: string, what = ''): void {
  console.log(`\n${command ? `$ ${command}` : ''}${command && what ? '   ' : ''}${what ? `# ${what}` : ''}`);
}

interface Joined {
  client: Client;
  session: string;
  /** The message of the ERROR frame. */
  error: string;
}

function enter(brokerURL: string, userId: string, userRole: string): Promise<Joined> {
  return new Promise((resolve, reject) => {
    const client = new Client({
      webSocketFactory: () => new WebSocket(brokerURL, ['v12.stomp'], { headers: { 'user-agent': 'stompjs on Node' } }),
      connectHeaders: { userId, userRole },
      reconnectDelay: 0,
    });
    clients.push(client);
    const joined: Joined = { client, session: '', error: '' };
    client.onConnect = ({ headers }) => {
      joined.session = headers.session!;
      resolve(joined);
    };
    client.onStompError = ({ headers }) => {
      joined.error = headers.message ?? '';
    };
    client.onWebSocketClose = () => reject(new Error(`${userId} could not connect: ${joined.error}`));
    client.activate();
  });
}

function start(command: string, args: string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  return child;
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout!.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      if (text.includes('\n')) resolve(text.split('\n')[0]!);
    });
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}`)));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function connectable(port: number): Promise<void> {
  while (spawnSync(process.execPath, [BIN, 'stats', '-o', 'json'], { env: process.env }).status !== 0) {
    if (children[0]!.exitCode !== null) throw new Error(`redis-server on port ${port} ended`);
  }
}

function end(code: number): never {
  clearTimeout(guard);
  for (const child of children) child.kill('SIGKILL');
  process.exit(code);
}
