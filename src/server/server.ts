/** Puts the parts together: listens, makes a connection of each socket, drains at the end. */
import { createServer, type Server as HttpServer, type IncomingMessage } from 'node:http';
import { hostname } from 'node:os';
import type { Duplex } from 'node:stream';
import { asWssessError, WssessError } from '../common/errors.ts';
import { newId } from '../common/ids.ts';
import { VERSION } from '../common/version.ts';
import type { NodeInfo } from '../sessions/nodes.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { trustHeaders } from './app/header-trust.ts';
import { Broker } from './broker/broker.ts';
import { ConnectRate } from './connect-rate.ts';
import { BackPressure } from './connection/back-pressure.ts';
import { Connection, type Surroundings } from './connection/connection.ts';
import { checkOrigin, isLoopback } from './doorkeeper.ts';
import { type Log, makeLog } from './log.ts';
import { answering } from './membership/answering.ts';
import { Lease } from './membership/lease.ts';
import { Load } from './membership/load.ts';
import { Members } from './membership/members.ts';
import { ignoreUpgrade, refuse, refuseGarbage } from './raw-http.ts';
import { restHandler } from './rest/rest.ts';
import type { HeartBeat } from './stomp/heartbeat.ts';
import type { Limits } from './stomp/parser.ts';
import { WebSocketDoor } from './transport/websocket.ts';

export { makeLog };

/** Durations are milliseconds, sizes bytes. */
export interface ServerOptions {
  host: string;
  /** 0 picks a free one. */
  port: number;
  /** undefined: the host name and the port. */
  node: string | undefined;
  ttl: number;
  heartBeat: HeartBeat;
  connectTimeout: number;
  /** WebSocket connects a second from one address; 0: no limit. */
  connectRate: number;
  limits: Limits;
  maxSubscriptions: number;
  maxBuffer: number;
  /** Sessions that GET /api/session/all may list. */
  restAllMax: number;
}

/** @throws WssessError `not_loopback`: who is trusted by its headers must be on this machine */
export function checkHost(host: string): void {
  if (!isLoopback(host)) throw new WssessError('not_loopback', `${host} is not a loopback address`);
}

/** Paths that take WebSocket upgrades. */
const ENDPOINTS = new Set(['/ws', '/connection/websocket']);
/** Milliseconds in which the same fault is logged once. */
const QUIET = 5000;

export class Server {
  readonly #options: ServerOptions;
  readonly #sessions: Sessions;
  readonly #log: Log;
  readonly #incarnation = newId();
  readonly #startedAt = new Date().toISOString();
  readonly #load = new Load();
  readonly #broker: Broker;
  readonly #members: Members;
  readonly #lease: Lease;
  readonly #http: HttpServer;
  readonly #door: WebSocketDoor;
  readonly #connectRate: ConnectRate;
  readonly #surroundings: Surroundings;
  /** Per error code: when the next one is logged. */
  readonly #quietUntil = new Map<string, number>();
  #state: 'starting' | 'open' | 'draining' = 'starting';
  #stopListening = () => {};
  #node = '';
  /** Where it listens, as http:// URL. */
  url = '';

  constructor(options: ServerOptions, sessions: Sessions, log: Log) {
    this.#options = options;
    this.#sessions = sessions;
    this.#log = log;
    const { limits, maxBuffer, connectTimeout, heartBeat, maxSubscriptions } = options;
    this.#broker = new Broker(this.#incarnation, maxSubscriptions);
    this.#lease = new Lease(
      sessions.nodes,
      () => this.#info(),
      log,
      () => this.#members.restore(),
    );
    this.#members = new Members({
      sessions,
      lease: this.#lease,
      incarnation: this.#incarnation,
      node: () => this.#node,
      ttl: options.ttl,
      fault: (error) => this.#fault(error),
    });
    this.#connectRate = new ConnectRate(options.connectRate);
    // One WebSocket message may hold any frame within the limits.
    this.#door = new WebSocketDoor(limits.maxBody + limits.maxHeaders * limits.maxHeaderBytes + 1024);
    this.#surroundings = {
      limits,
      maxBuffer,
      backPressure: new BackPressure(maxBuffer),
      connectTimeout,
      services: {
        broker: this.#broker,
        heartBeat,
        authenticate: (frame, { version }) => trustHeaders(frame, version),
        register: (connection) => this.#members.register(connection),
      },
      forget: (connection) => this.#forget(connection),
      fault: (error) => this.#fault(error),
    };
    const rest = restHandler({
      sessions,
      ttl: options.ttl,
      allMax: options.restAllMax,
      notReady: () => this.#notReady(),
      fault: (error) => this.#fault(error),
    });
    this.#http = createServer(
      {
        requireHostHeader: false, // the doorkeeper says it in JSON
        // A request, or a handshake, must be whole in time; Node looks for late ones now and then.
        headersTimeout: connectTimeout,
        requestTimeout: connectTimeout,
        connectionsCheckingInterval: Math.min(1000, Math.ceil(connectTimeout / 4)),
      },
      rest,
    );
    this.#http.on('clientError', (error, socket) => refuseGarbage(error, socket));
    this.#http.on('upgrade', (request, socket, head) => {
      if (request.headers.upgrade?.toLowerCase() === 'websocket') this.#upgrade(request, socket, head);
      else ignoreUpgrade(request, socket, rest);
    });
  }

  get node(): string {
    return this.#node;
  }

  /**
   * Listens, takes the lease, and answers from then on.
   * @throws WssessError `address_in_use`, `node_name_taken`, `schema_newer`, or of Redis
   */
  async start(): Promise<void> {
    const port = await this.#listen();
    const { host } = this.#options;
    this.url = `http://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
    this.#node = this.#options.node ?? defaultName(port);
    this.#load.start();
    try {
      await this.#lease.take();
      this.#stopListening = await this.#sessions.control.listen(
        this.#incarnation,
        answering({
          connections: this.#members.connections,
          destinationsOf: (connection) => this.#broker.destinationsOf(connection),
          forgetGhost: (id) => this.#members.forgetGhost(id),
        }),
        (error) => this.#fault(error),
      );
    } catch (error) {
      this.#load.stop();
      this.#http.close();
      throw error;
    }
    this.#sessions.store.onReady(() => void this.#lease.renew());
    this.#state = 'open';
  }

  /** Closes every session with cause `shutdown`, unregisters them, gives the lease back. */
  async stop(): Promise<void> {
    this.#state = 'draining';
    this.#http.close();
    await this.#members.drain();
    this.#stopListening();
    await this.#lease.release().catch((error: unknown) => this.#fault(error));
    this.#load.stop();
    this.#http.closeAllConnections();
  }

  #listen(): Promise<number> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#http.once('error', (error: NodeJS.ErrnoException) => {
        const why = error.code === 'EADDRINUSE' ? 'is in use' : `can't be listened on: ${error.code ?? error.message}`;
        reject(new WssessError('address_in_use', `${host}:${port} ${why}`));
      });
      this.#http.listen(port, host.replace(/^\[(.*)\]$/, '$1'), () => {
        const address = this.#http.address();
        resolve(address !== null && typeof address === 'object' ? address.port : port);
      });
    });
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => {}); // a reset during the handshake is no fault
    try {
      checkOrigin(request);
      const path = (request.url ?? '').split('?')[0]!;
      if (!ENDPOINTS.has(path)) throw new WssessError('no_route', 'no WebSocket endpoint has this path');
      if (this.#state !== 'open') throw new WssessError('not_ready', `the server is ${this.#state}`);
      if (!this.#connectRate.allows(request.socket.remoteAddress ?? '')) {
        throw new WssessError('too_many_connects', `more than ${this.#options.connectRate} connects a second`);
      }
    } catch (error) {
      refuse(socket, asWssessError(error));
      return;
    }
    this.#door.upgrade(request, socket, head, (transport) => {
      const connection = new Connection(newId(), transport, this.#surroundings);
      this.#members.add(connection);
      return connection;
    });
  }

  async #forget(connection: Connection): Promise<void> {
    this.#broker.forget(connection);
    await this.#members.forget(connection);
  }

  #info(): NodeInfo {
    return {
      name: this.#node,
      incarnation: this.#incarnation,
      url: this.url,
      host: hostname(),
      pid: process.pid,
      version: VERSION,
      started_at: this.#startedAt,
      sessions: this.#members.connections.size,
      ...this.#members.counters,
      ...this.#broker.counters,
      ...this.#load.sample(),
    };
  }

  #notReady(): string | undefined {
    if (this.#state !== 'open') return this.#state;
    if (!this.#sessions.store.ready) return 'Redis is not reached';
    return this.#lease.held ? undefined : 'the lease is not held';
  }

  #fault(error: unknown): void {
    if (!(error instanceof WssessError)) {
      this.#log.warn((error as Error)?.stack ?? String(error));
    } else if (performance.now() > (this.#quietUntil.get(error.code) ?? 0)) {
      // Redis gone is told once in a while, not once a client.
      this.#quietUntil.set(error.code, performance.now() + QUIET);
      this.#log.warn(error.message);
    }
  }
}

function defaultName(port: number): string {
  const host = hostname()
    .replace(/[^A-Za-z0-9_.-]/g, '-')
    .slice(0, 50);
  return `${host || 'node'}-${port}`;
}
