/**
 * The embedded store: what `wssess serve` runs on where no Redis is named. It speaks Redis' protocol on loopback, so
 * that the CLI and redis-cli in another terminal read the same keys; it lives in the process and keeps nothing.
 * docs/decisions/0010-embedded-store.md says why it exists.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { getHeapStatistics } from 'node:v8';
import { type ConnectionLimits, serveSocket } from './connection.ts';
import { Engine, type KnownScript, type Limits } from './engine.ts';
import { Scripts } from './scripts/scripts.ts';

/** Strings live in V8's heap, and the rest of the process does too. */
const MEMORY = Math.min(1024 ** 3, Math.floor(getHeapStatistics().heap_size_limit / 2));

const DEFAULTS: Limits & ConnectionLimits = {
  memory: MEMORY,
  perClient: Math.floor(MEMORY / 8),
  allClients: Math.floor(MEMORY / 4),
  clients: 10_000,
  output: 32 * 1024 ** 2,
  stalled: 60_000,
  authentication: 10_000,
};

/** Milliseconds in which a connection beyond the limit hears that it is. */
const REFUSING = 1000;

export interface EmbeddedOptions {
  /** A free one when left out or 0. */
  port?: number;
  /** Every connection must say it before anything else. */
  password: string;
  /** The only scripts that run. */
  scripts: readonly KnownScript[];
  limits?: Partial<Limits & ConnectionLimits>;
  /** Told of faults of ours, once a second at most. The client gets an error or is cut; the store goes on. */
  onFault?: ((error: Error) => void) | undefined;
}

export interface Embedded {
  port: number;
  /** Cuts every connection and forgets everything. */
  close(): Promise<void>;
}

/** @throws Error of `listen`: EADDRINUSE for a port that is taken */
export async function startEmbedded({ port = 0, password, scripts, ...options }: EmbeddedOptions): Promise<Embedded> {
  const limits = { ...DEFAULTS, ...options.limits };
  // Strings hold one byte a character in here, the password too.
  const secret = Buffer.from(password, 'utf8').toString('latin1');
  const engine = new Engine(secret, limits, new Scripts(scripts), options.onFault);
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    if (sockets.size >= limits.clients) return refuse(socket);
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    serveSocket(socket, engine, limits);
  });
  await new Promise<void>((resolve, reject) => {
    listener.once('error', reject);
    listener.listen(port, '127.0.0.1', resolve);
  });
  engine.facts.port = (listener.address() as AddressInfo).port;
  return {
    port: engine.facts.port,
    async close() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
      engine.db.close();
    },
  };
}

/** One too many. It is read until it leaves, since whoever spoke first would never hear why, but not for long. */
function refuse(socket: Socket): void {
  const late = setTimeout(() => socket.destroy(), REFUSING);
  socket.once('close', () => clearTimeout(late));
  socket.on('error', () => {});
  socket.resume();
  socket.end('-ERR max number of clients reached\r\n');
}
