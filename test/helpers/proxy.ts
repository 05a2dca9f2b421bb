/** A network of the test's own: a TCP proxy on loopback that can fall silent, each way apart. */
import { connect, createServer, type Socket } from 'node:net';

type Way = 'to client' | 'to server';

export interface TcpProxy {
  /** Where the server is found through it. */
  ws: string;
  /** That were made so far. */
  readonly connections: number;
  /** New connections go to another server. */
  to(ws: string): void;
  /** Holds back whatever comes, the end of a connection too, of those that are there and of new ones. */
  mute(way: Way): void;
  /** Lets it through again. */
  unmute(): void;
  /** Resets all connections. */
  cut(): void;
  close(): Promise<void>;
}

/** @param ws ws://127.0.0.1:port/path of the server */
export async function startProxy(ws: string): Promise<TcpProxy> {
  let target = new URL(ws);
  /** By the way that what they read goes. */
  const readers: Record<Way, Set<Socket>> = { 'to client': new Set(), 'to server': new Set() };
  const muted = new Set<Way>();
  const forward = (from: Socket, to: Socket, way: Way) => {
    readers[way].add(from);
    from.on('data', (bytes) => to.write(bytes));
    from.on('end', () => to.end());
    from.on('error', () => {});
    from.on('close', () => {
      readers[way].delete(from);
      if (!muted.has(way)) to.destroy();
    });
    if (muted.has(way)) from.pause();
  };
  let connections = 0;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    connections++;
    const upstream = connect({ host: target.hostname, port: Number(target.port), allowHalfOpen: true });
    forward(client, upstream, 'to server');
    forward(upstream, client, 'to client');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const all = () => [...readers['to client'], ...readers['to server']];
  const proxy: TcpProxy = {
    ws: `ws://127.0.0.1:${(server.address() as { port: number }).port}${target.pathname}`,
    get connections() {
      return connections;
    },
    to(other) {
      target = new URL(other);
    },
    mute(way) {
      muted.add(way);
      for (const socket of readers[way]) socket.pause();
    },
    unmute() {
      muted.clear();
      for (const socket of all()) socket.resume();
    },
    cut() {
      for (const socket of all()) socket.resetAndDestroy();
    },
    close() {
      for (const socket of all()) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return proxy;
}
