/** The way from a node to its Redis, looked at and broken from outside: a connection that is dead on the way, and says nothing. */
import { connect, createServer, type Socket } from 'node:net';

interface Way {
  /** It has sent SUBSCRIBE. */
  listens: boolean;
  /** Octets that Redis sent. */
  received: number;
  /** From now on nothing arrives on either side, and neither learns it. */
  silence(): void;
  cut(): void;
}

export interface Wire {
  url: string;
  /** Those that are open. */
  ways: ReadonlySet<Way>;
  close(): Promise<void>;
}

/** @param redis its URL; that of the wire is the same with another port */
export async function startWire(redis: string): Promise<Wire> {
  const ways = new Set<Way>();
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(new URL(redis).port), '127.0.0.1');
    let silent = false;
    const way: Way = {
      listens: false,
      received: 0,
      silence() {
        silent = true;
      },
      cut: () => void near.destroy(),
    };
    ways.add(way);
    near.on('data', (bytes) => {
      way.listens ||= /\bsubscribe\r/i.test(bytes.toString('latin1'));
      if (!silent) far.write(bytes);
    });
    far.on('data', (bytes) => {
      way.received += bytes.length;
      if (!silent) near.write(bytes);
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.setNoDelay(true);
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(one);
        ways.delete(way);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = new URL(redis);
  url.port = String((server.address() as { port: number }).port);
  return {
    url: url.href,
    ways,
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
