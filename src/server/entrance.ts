/** Where everybody comes in: one port, for REST and for WebSocket handshakes. */
import {
  createServer,
  type Server as HttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http';
import type { Duplex } from 'node:stream';
import { asWssessError, WssessError } from '../common/errors.ts';
import { needsToken } from './app/access.ts';
import { ConnectRate } from './connect-rate.ts';
import { checkOrigin, isLoopback } from './doorkeeper.ts';
import type { ServerOptions } from './options.ts';
import { ignoreUpgrade, refuse, refuseGarbage } from './raw-http.ts';
import { toOriginForm } from './request-target.ts';
import type { Receiver, Transport } from './transport/transport.ts';
import { WebSocketDoor } from './transport/websocket.ts';

/** Paths that take WebSocket upgrades. */
const ENDPOINTS = new Set(['/ws', '/connection/websocket']);

export interface Behind {
  options: Pick<ServerOptions, 'host' | 'port' | 'limits' | 'connectTimeout' | 'connectRate' | 'access'>;
  rest: RequestListener;
  /** No socket is taken unless it is `open`. */
  state(): 'starting' | 'open' | 'draining';
  /** A socket was opened. */
  open(transport: Transport): Receiver;
}

export class Entrance {
  readonly #behind: Behind;
  readonly #http: HttpServer;
  readonly #door: WebSocketDoor;
  readonly #connectRate: ConnectRate;

  constructor(behind: Behind) {
    this.#behind = behind;
    const { options, rest } = behind;
    const { limits, connectTimeout } = options;
    this.#connectRate = new ConnectRate(options.connectRate);
    // One WebSocket message may hold any frame within the limits.
    this.#door = new WebSocketDoor(limits.maxBody + limits.maxHeaders * (limits.maxHeaderBytes + 2) + 1024);
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
    const last = new WeakMap<Duplex, ServerResponse>();
    this.#http.prependListener('request', ({ socket }, response) => last.set(socket, response));
    this.#http.on('clientError', (error, socket) => refuseGarbage(error, socket, last.get(socket)));
    this.#http.on('upgrade', (request, socket, head) => {
      if (request.headers.upgrade?.toLowerCase() === 'websocket') this.#upgrade(request, socket, head);
      else ignoreUpgrade(request, socket, rest);
    });
  }

  /** @returns the port @throws WssessError `address_in_use` */
  listen(): Promise<number> {
    const { host, port } = this.#behind.options;
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

  /** Nobody comes in any more. */
  close(): void {
    this.#http.close();
  }

  /** Who asked for something and was not answered yet is sent away. */
  clear(): void {
    this.#http.closeAllConnections();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { options, state, open } = this.#behind;
    socket.on('error', () => {}); // a reset during the handshake is no fault
    try {
      const { access, host, connectRate } = options;
      toOriginForm(request);
      checkOrigin(request, { guarded: needsToken(access), loopback: isLoopback(host) });
      const path = (request.url ?? '').split('?')[0]!;
      if (!ENDPOINTS.has(path)) throw new WssessError('no_route', 'no WebSocket endpoint has this path');
      if (state() !== 'open') throw new WssessError('not_ready', `the server is ${state()}`);
      if (!this.#connectRate.allows(request.socket.remoteAddress ?? '')) {
        throw new WssessError('too_many_connects', `more than ${connectRate} connects a second`);
      }
    } catch (error) {
      refuse(socket, asWssessError(error));
      return;
    }
    this.#door.upgrade(request, socket, head, open);
  }
}
