/** Puts the parts together: listens, makes a connection of each socket, drains at the end. */
import { createServer, type Server as HttpServer, type IncomingMessage } from 'node:http';
import { hostname } from 'node:os';
import type { Duplex } from 'node:stream';
import { asWssessError, WssessError } from '../common/errors.ts';
import { cutUtf8 } from '../common/escape.ts';
import { newId } from '../common/ids.ts';
import { VERSION } from '../common/version.ts';
import type { Details } from '../sessions/model.ts';
import type { NodeInfo } from '../sessions/nodes.ts';
import { inPages } from '../sessions/owners.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { trustHeaders } from './app/header-trust.ts';
import { Broker } from './broker/broker.ts';
import { Connection, type Surroundings } from './connection/connection.ts';
import { checkOrigin, isLoopback } from './doorkeeper.ts';
import { type Log, makeLog } from './log.ts';
import { answering } from './membership/answering.ts';
import { Lease } from './membership/lease.ts';
import { Registration } from './membership/registration.ts';
import { ignoreUpgrade, refuse } from './raw-http.ts';
import { CLOSE } from './refusal.ts';
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
/** Bytes of UTF-8 of the client's agent string that are kept. */
const MAX_USER_AGENT = 200;
/** Milliseconds in which the same fault is logged once. */
const QUIET = 5000;
/** Sessions that are closed at a time when the server ends, so that neither Redis nor the event loop is flooded. */
const DRAIN_PAGE = 200;
/** Milliseconds that a page may take before the next one is closed too. */
const DRAIN_PATIENCE = 500;
/** Sessions that are written again at a time when Redis has lost them. */
const RESTORE_PAGE = 100;

export class Server {
  readonly #options: ServerOptions;
  readonly #sessions: Sessions;
  readonly #log: Log;
  readonly #incarnation = newId();
  readonly #startedAt = new Date().toISOString();
  readonly #connections = new Map<string, Connection>();
  readonly #sockets = new Set<Connection>();
  readonly #registrations = new Map<Connection, Registration>();
  readonly #broker: Broker;
  readonly #lease: Lease;
  readonly #http: HttpServer;
  readonly #door: WebSocketDoor;
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
      () => this.#restore(),
    );
    // One WebSocket message may hold any frame within the limits.
    this.#door = new WebSocketDoor(limits.maxBody + limits.maxHeaders * limits.maxHeaderBytes + 1024);
    this.#surroundings = {
      limits,
      maxBuffer,
      connectTimeout,
      services: {
        broker: this.#broker,
        heartBeat,
        authenticate: (frame, { version }) => trustHeaders(frame, version),
        register: (connection) => this.#register(connection),
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
    this.#http = createServer({ requireHostHeader: false }, rest); // the doorkeeper says it in JSON
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
    try {
      await this.#lease.take();
      this.#stopListening = await this.#sessions.control.listen(
        this.#incarnation,
        answering({
          connections: this.#connections,
          destinationsOf: (connection) => this.#broker.destinationsOf(connection),
          forgetGhost: (id) => this.#forgetGhost(id),
        }),
        (error) => this.#fault(error),
      );
    } catch (error) {
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
    const all = [...this.#sockets];
    const ended: Promise<void>[] = [];
    for (const page of inPages(all, DRAIN_PAGE)) {
      const unregistered = page.map((connection) =>
        connection.end('shutdown', {
          code: CLOSE.shutdown,
          reason: 'the server is shutting down',
          error: { body: 'Connect again: another node, or this one when it is back.' },
        }),
      );
      ended.push(...unregistered);
      // With Redis away the next page is told all the same.
      await Promise.race([Promise.all(unregistered), new Promise((wake) => setTimeout(wake, DRAIN_PATIENCE))]);
    }
    await Promise.all(ended);
    this.#stopListening();
    await this.#lease.release().catch((error: unknown) => this.#fault(error));
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
    } catch (error) {
      refuse(socket, asWssessError(error));
      return;
    }
    this.#door.upgrade(request, socket, head, (transport) => {
      const connection = new Connection(newId(), transport, this.#surroundings);
      this.#sockets.add(connection);
      return connection;
    });
  }

  async #register(connection: Connection): Promise<void> {
    const { transport, user, role, version, id } = connection;
    const details: Details = {
      node: this.#node,
      incarnation: this.#incarnation,
      user,
      role,
      ip: transport.ip,
      port: transport.port,
      connectedAt: Date.now(),
      version,
      userAgent: transport.userAgent === null ? null : cutUtf8(transport.userAgent, MAX_USER_AGENT),
      ttl: this.#options.ttl,
    };
    const registration = new Registration(id, details, {
      sessions: this.#sessions,
      lease: this.#lease,
      lastSign: () => connection.lastSign,
      expired: () =>
        void connection.end('expired', {
          code: CLOSE.expired,
          reason: 'the session expired',
          error: { body: 'The client gave no sign for too long. Connect again.', headers: { cause: 'expired' } },
        }),
      fault: (error) => this.#fault(error),
    });
    this.#connections.set(id, connection);
    this.#registrations.set(connection, registration);
    await registration.open();
    connection.onSign = () => registration.sign();
  }

  async #forget(connection: Connection): Promise<void> {
    this.#broker.forget(connection);
    await this.#registrations.get(connection)?.close();
    this.#registrations.delete(connection);
    this.#connections.delete(connection.id);
    this.#sockets.delete(connection);
  }

  /** Redis had lost the lease, and so perhaps everything: writes all sessions again. */
  async #restore(): Promise<void> {
    for (const page of inPages([...this.#registrations.values()], RESTORE_PAGE)) {
      await Promise.all(page.map((registration) => registration.restore()));
    }
  }

  /** A session of this process that has no socket: what its unregister could not do. */
  async #forgetGhost(id: string): Promise<void> {
    const found = await this.#sessions.directory.get(id);
    if (found?.details?.incarnation !== this.#incarnation || this.#connections.has(id)) return;
    await this.#sessions.registry.unregister(id, found.user, found.details);
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
      sessions: this.#connections.size,
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

/** What isn't HTTP, or too long for it. */
function refuseGarbage(error: Error & { code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  if (error.code === 'HPE_HEADER_OVERFLOW') refuse(socket, new WssessError('bad_request', 'the head is too long'), 431);
  else refuse(socket, new WssessError('bad_request', 'this is not HTTP'));
}

function defaultName(port: number): string {
  const host = hostname()
    .replace(/[^A-Za-z0-9_.-]/g, '-')
    .slice(0, 50);
  return `${host || 'node'}-${port}`;
}
