/**
 * A bad network of the test's own: a TCP proxy on loopback between a process and a Redis (or anything else). Give the
 * process `proxy.port`, or `proxy.url` for a Redis, and call a fault while it works. All connections have it, those to
 * come too, until `heal`. What a fault delays keeps its order.
 *
 *     const proxy = await startFaultProxy(redis.port);
 *     const serve = await startServe(proxy.url);
 *     proxy.swallow();      // half-open: the sockets stay, nothing arrives any more
 *     …
 *     proxy.heal();
 *     await proxy.close();
 */
import { connect, createServer, type Socket } from 'node:net';

/** Which way bytes go; every fault is of both unless said. */
export type Way = 'to client' | 'to server';

export interface FaultProxy {
  port: number;
  /** redis://127.0.0.1:port, where a Redis is behind it. */
  url: string;
  /** ws://127.0.0.1:port/ws, where a `serve` is. */
  ws: string;
  /** Connections that are open. */
  readonly open: number;
  /** Connections that were made since the start. */
  readonly made: number;
  /** Bytes that came from clients since the start. */
  readonly sent: number;
  /** Every piece arrives so many milliseconds later. */
  delay(ms: number, ...ways: Way[]): void;
  /** At most so many bytes a second pass on each connection. */
  throttle(bytesPerSecond: number, ...ways: Way[]): void;
  /** Half-open: whatever comes is lost, and so is each end's close; nobody is told. */
  swallow(...ways: Way[]): void;
  /** Holds back whatever comes, without a bound; it arrives after `heal`. */
  hold(...ways: Way[]): void;
  /** Every byte arrives as another. */
  garble(...ways: Way[]): void;
  /** Resets all connections, and refuses new ones until `heal`. */
  cut(): void;
  /** Resets all connections once: new ones are served. */
  reset(): void;
  /** New connections go to the server on another port of loopback. */
  to(port: number): void;
  /** Ends the faults. What was swallowed is lost for good: such connections are reset. */
  heal(): void;
  close(): Promise<void>;
}

interface Fault {
  delay: number;
  /** Bytes a second; 0: any number. */
  rate: number;
  swallows: boolean;
  holds: boolean;
  garbles: boolean;
}

const NONE: Readonly<Fault> = { delay: 0, rate: 0, swallows: false, holds: false, garbles: false };
const WAYS: readonly Way[] = ['to client', 'to server'];

/** One way of one connection: a queue whose head waits for its time. */
class Pipe {
  /** Something of it is lost: it can't be made good. */
  lossy = false;
  readonly #to: Socket;
  readonly #fault: Fault;
  #queue: { bytes: Buffer | null; due: number }[] = [];
  /** When the last piece has passed, at the rate. */
  #free = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, fault: Fault, count: (bytes: number) => void) {
    this.#to = to;
    this.#fault = fault;
    from.on('data', (bytes: Buffer) => {
      count(bytes.length);
      this.#push(bytes);
    });
    from.on('end', () => this.#push(null));
  }

  #push(bytes: Buffer | null): void {
    const { swallows, garbles, delay, rate } = this.#fault;
    if (swallows) {
      this.lossy = true;
      return;
    }
    const now = performance.now();
    const passes = rate > 0 && bytes ? (bytes.length / rate) * 1000 : 0;
    this.#free = Math.max(this.#free, now) + passes;
    this.#queue.push({
      bytes: garbles && bytes ? (bytes.map((one) => one ^ 0x5a) as Buffer) : bytes,
      due: this.#free + delay,
    });
    this.go();
  }

  /** Lets through what is due. */
  go(): void {
    clearTimeout(this.#timer);
    if (this.#fault.holds) return;
    for (;;) {
      const head = this.#queue[0];
      if (!head) return;
      const early = head.due - performance.now();
      if (early > 0) {
        this.#timer = setTimeout(() => this.go(), early);
        return;
      }
      this.#queue.shift();
      if (head.bytes) this.#to.write(head.bytes);
      else this.#to.end();
    }
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#queue = [];
  }
}

/** @param port of the server behind it, on loopback */
export async function startFaultProxy(port: number): Promise<FaultProxy> {
  const faults: Record<Way, Fault> = { 'to client': { ...NONE }, 'to server': { ...NONE } };
  const connections = new Set<{ pipes: Pipe[]; reset(): void }>();
  let [refuses, made, sent] = [false, 0, 0];
  let target = port;

  const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    client.on('error', () => {});
    if (refuses) return void client.resetAndDestroy();
    made++;
    const upstream = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    upstream.on('error', () => {});
    const pipes = [
      new Pipe(client, upstream, faults['to server'], (bytes) => (sent += bytes)),
      new Pipe(upstream, client, faults['to client'], () => {}),
    ];
    const connection = {
      pipes,
      reset() {
        connections.delete(connection);
        for (const pipe of pipes) pipe.stop();
        for (const socket of [client, upstream]) socket.resetAndDestroy();
      },
    };
    connections.add(connection);
    for (const socket of [client, upstream]) {
      socket.on('close', (hadError) => {
        // A reset passes through; a plain end has been passed on as one, by its pipe.
        const quiet = WAYS.some((way) => faults[way].swallows || faults[way].holds);
        if (hadError && !quiet) connection.reset();
        else if (client.closed && upstream.closed) connections.delete(connection);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const own = (server.address() as { port: number }).port;

  const set = (ways: Way[], fault: Partial<Fault>) => {
    for (const way of ways.length > 0 ? ways : WAYS) Object.assign(faults[way], fault);
  };
  const reset = () => {
    for (const connection of [...connections]) connection.reset();
  };
  return {
    port: own,
    url: `redis://127.0.0.1:${own}`,
    ws: `ws://127.0.0.1:${own}/ws`,
    get open() {
      return connections.size;
    },
    get made() {
      return made;
    },
    get sent() {
      return sent;
    },
    delay: (ms, ...ways) => set(ways, { delay: ms }),
    throttle: (bytesPerSecond, ...ways) => set(ways, { rate: bytesPerSecond }),
    swallow: (...ways) => set(ways, { swallows: true }),
    hold: (...ways) => set(ways, { holds: true }),
    garble: (...ways) => set(ways, { garbles: true }),
    cut() {
      refuses = true;
      reset();
    },
    reset,
    to(other) {
      target = other;
    },
    heal() {
      refuses = false;
      set([], NONE);
      for (const connection of [...connections]) {
        if (connection.pipes.some((pipe) => pipe.lossy)) connection.reset();
        else for (const pipe of connection.pipes) pipe.go();
      }
    },
    async close() {
      reset();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
