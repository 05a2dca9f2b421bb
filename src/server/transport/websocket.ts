/** WebSocket: upgrades requests, and makes a Transport of each socket. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { cutUtf8 } from '../../common/escape.ts';
import type { Receiver, Transport } from './transport.ts';

/** STOMP over WebSocket, as registered with IANA; the version itself is agreed in CONNECT. */
const SUBPROTOCOLS = ['v12.stomp', 'v11.stomp', 'v10.stomp'];
/** Bytes of UTF-8 that fit a close frame beside its code (RFC 6455, 5.5.1). */
const MAX_CLOSE_REASON = 123;
/** Milliseconds for the client to answer a close frame, then the socket is cut. */
const CLOSE_TIMEOUT = 2000;

export class WebSocketDoor {
  readonly #server: WebSocketServer;

  /** @param maxMessage bytes of one WebSocket message; a longer one is refused from its announced length (1009) */
  constructor(maxMessage: number) {
    this.#server = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      maxPayload: maxMessage,
      // One of the offered ones, the best; none if none was offered.
      handleProtocols: (offered) => SUBPROTOCOLS.find((one) => offered.has(one)) ?? false,
    });
  }

  /** Answers an upgrade request; `open` is called with the transport once the handshake is done. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, open: (transport: Transport) => Receiver): void {
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      const receiver = open(transportOf(ws, request));
      ws.on('message', (data: Buffer) => receiver.receive(data));
      ws.on('close', () => receiver.gone());
      ws.on('error', (error: Error & { code?: string }) => {
        if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') receiver.overflow();
      });
    });
  }
}

function transportOf(ws: WebSocket, request: IncomingMessage): Transport {
  const { remoteAddress = '', remotePort = 0 } = request.socket;
  return {
    ip: remoteAddress.replace(/^::ffff:(?=\d+\.)/, ''),
    port: remotePort,
    userAgent: request.headers['user-agent'] ?? null,
    get buffered() {
      return ws.bufferedAmount;
    },
    send: (frames) => ws.send(frames, { binary: !isUtf8(frames) }),
    close(code, reason) {
      ws.resume(); // the client's answer must be read
      ws.close(code, cutUtf8(reason, MAX_CLOSE_REASON));
      const cut = setTimeout(() => ws.terminate(), CLOSE_TIMEOUT);
      ws.once('close', () => clearTimeout(cut));
    },
    destroy: () => ws.terminate(),
    pause: () => ws.pause(),
    resume: () => ws.resume(),
  };
}
