/** WebSocket: upgrades requests, and makes a Transport of each socket. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { WssessError } from '../../common/errors.ts';
import { refuse } from '../raw-http.ts';
import { Turn } from './outbox.ts';
import { DataWatch } from './reading.ts';
import type { Receiver, Transport } from './transport.ts';
import { WebSocketTransport } from './websocket-transport.ts';

/** STOMP over WebSocket, as registered with IANA; the version itself is agreed in CONNECT. */
const SUBPROTOCOLS = ['v12.stomp', 'v11.stomp', 'v10.stomp'];
/** The largest limit that `ws` knows: it counts in 32 bits, and what is beyond would be none at all. */
const MOST = 2 ** 31 - 1;

export class WebSocketDoor {
  readonly #server: WebSocketServer;
  readonly #turn = new Turn();

  /** @param maxMessage bytes of one WebSocket message; a longer one is refused from its announced length (1009) */
  constructor(maxMessage: number) {
    this.#server = new WebSocketServer({
      noServer: true,
      perMessageDeflate: false,
      autoPong: false, // see ponging
      maxPayload: Math.min(maxMessage, MOST),
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
      const transport = new WebSocketTransport(ws, socket, request, this.#turn);
      const receiver = open(transport);
      // On a message that is too large, or no UTF-8, ws closes by itself, with a code and no reason; the client is to be
      // told first. An answer to the client's own close has a reason, or neither.
      ws.close = (code, reason) => {
        if (code !== undefined && reason === undefined) receiver.fault(code);
        else transport.answerClose(code, reason);
      };
      ws.on('message', (data: Buffer) => receiver.receive(data));
      const watch = new DataWatch();
      socket.on('data', (chunk: Buffer) => {
        // What is a message by now, was received above.
        if (ws.readyState === ws.OPEN && watch.push(chunk)) receiver.sign();
      });
      ws.on('ping', ponging(ws, socket));
      ws.on('close', () => receiver.gone());
      ws.on('error', () => {}); // the close says it
    });
  }
}

/**
 * Answers pings: the last one of a turn, and while the socket is full the last one of all (RFC 6455, 5.5.3 allows it). Each
 * answer is a write, which is dear where thousands come at once, and is held for a client that doesn't read.
 */
function ponging(ws: WebSocket, socket: Duplex): (data: Buffer) => void {
  let last: Buffer | undefined;
  const answer = () => {
    if (socket.writableNeedDrain) return void socket.once('drain', answer);
    if (last && ws.readyState === ws.OPEN) ws.pong(last);
    last = undefined;
  };
  return (data) => {
    if (last === undefined) setImmediate(answer);
    last = data;
  };
}
