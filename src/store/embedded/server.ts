/**
 * The embedded store: what `wssess serve` runs on where no Redis is named. It speaks Redis' protocol on loopback, so
 * that the CLI and redis-cli in another terminal read the same keys; it lives in the process and keeps nothing.
 * docs/decisions/0010-embedded-store.md says why it exists.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type ConnectionLimits, serveSocket } from './connection.ts';
import { Engine, type KnownScript, type Limits } from './engine.ts';
import { Scripts } from './scripts/scripts.ts';

const DEFAULTS: Limits & ConnectionLimits = {
  memory: 1024 ** 3,
  clients: 10_000,
  output: 32 * 1024 ** 2,
  stalled: 60_000,
  authentication: 10_000,
};

export interface EmbeddedOptions {
  /** A free one when left out or 0. */
  port?: number;
  /** Every connection must say it before anything else. */
  password: string;
  /** The only scripts that run. */
  scripts: readonly KnownScript[];
  limits?: Partial<Limits & ConnectionLimits>;
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
  const engine = new Engine(Buffer.from(password, 'utf8').toString('latin1'), limits, new Scripts(scripts));
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    if (sockets.size >= limits.clients) {
      socket.on('error', () => {});
      socket.end('-ERR max number of clients reached\r\n');
      return;
    }
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
