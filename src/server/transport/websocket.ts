/** WebSocket: upgrades requests, and makes a Transport of each socket. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { WssessError } from '../../common/errors.ts';
import { cutUtf8 } from '../../common/escape.ts';
import { refuse } from '../raw-http.ts';
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
    this.#server.on('wsClientError', (error, socket) => {
      refuse(socket, new WssessError('bad_request', `this is no WebSocket handshake: ${error.message}`));
    });
  }

  /** Answers an upgrade request; `open` is called with the transport once the handshake is done. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, open: (transport: Transport) => Receiver): void {
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      const close = ws.close.bind(ws);
      const receiver = open(transportOf(ws, request, close));
      // On a message that is too large, or no UTF-8, ws closes by itself, with a code and no reason; the client is to be
      // told first. An answer to the client's own close has a reason, or neither.
      ws.close = (code, reason) => {
        if (code !== undefined && reason === undefined) receiver.fault(code);
        else close(code, reason);
      };
      ws.on('message', (data: Buffer) => receiver.receive(data));
      ws.on('close', () => receiver.gone());
      ws.on('error', () => {}); // the close says it
    });
  }
}

function transportOf(ws: WebSocket, request: IncomingMessage, closeSocket: WebSocket['close']): Transport {
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
      if (ws.readyState === ws.CLOSED) return;
      ws.resume(); // the client's answer must be read
      closeSocket(code, cutUtf8(reason, MAX_CLOSE_REASON));
      const cut = setTimeout(() => ws.terminate(), CLOSE_TIMEOUT);
      ws.once('close', () => clearTimeout(cut));
    },
    destroy: () => ws.terminate(),
    pause: () => ws.pause(),
    resume: () => ws.resume(),
  };
}
