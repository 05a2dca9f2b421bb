/** WebSocket: upgrades requests, and makes a Transport of each socket. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { WssessError } from '../../common/errors.ts';
import { cutUtf8 } from '../../common/escape.ts';
import { refuse } from '../raw-http.ts';
import { Message } from './message.ts';
import { Outbox, type Sink, Turn } from './outbox.ts';
import type { Receiver, Transport } from './transport.ts';

/** STOMP over WebSocket, as registered with IANA; the version itself is agreed in CONNECT. */
const SUBPROTOCOLS = ['v12.stomp', 'v11.stomp', 'v10.stomp'];
/** Bytes of UTF-8 that fit a close frame beside its code (RFC 6455, 5.5.1). */
const MAX_CLOSE_REASON = 123;
/** The largest limit that `ws` knows: it counts in 32 bits, and what is beyond would be none at all. */
const MOST = 2 ** 31 - 1;
/** Milliseconds for the client to answer a close frame, then the socket is cut. */
const CLOSE_TIMEOUT = 2000;

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
      const close = ws.close.bind(ws);
      const outbox = new Outbox(sinkOf(ws, socket), this.#turn);
      // Whoever closes, `ws` or we: what was sent before goes before.
      const closeSocket = (code?: number, reason?: string | Buffer) => {
        outbox.flush();
        close(code, reason);
      };
      const receiver = open(transportOf(ws, socket, outbox, request, closeSocket));
      // On a message that is too large, or no UTF-8, ws closes by itself, with a code and no reason; the client is to be
      // told first. An answer to the client's own close has a reason, or neither.
      ws.close = (code, reason) => {
        if (code !== undefined && reason === undefined) receiver.fault(code);
        else closeSocket(code, reason);
      };
      ws.on('message', (data: Buffer) => receiver.receive(data));
      ws.on('ping', ponging(ws, socket));
      ws.on('close', () => receiver.gone());
      ws.on('error', () => {}); // the close says it
    });
  }
}

/** What an outbox may do with a WebSocket and its socket. */
function sinkOf(ws: WebSocket, socket: Duplex): Sink {
  return {
    get open() {
      return ws.readyState === ws.OPEN && socket.writable;
    },
    get direct() {
      return ws.extensions === '' && ws.bufferedAmount === socket.writableLength;
    },
    write(chunks) {
      if (chunks.length === 1) return void socket.write(chunks[0]);
      socket.cork();
      for (const chunk of chunks) socket.write(chunk);
      socket.uncork();
    },
    send: ({ head, tail, text }) => ws.send(tail.length === 0 ? head : Buffer.concat([head, tail]), { binary: !text }),
  };
}

/**
 * Answers pings. While the socket is full, only the last one is (RFC 6455, 5.5.3 allows it): a client that pings and
 * doesn't read would otherwise have ever more pongs held for it.
 */
function ponging(ws: WebSocket, socket: Duplex): (data: Buffer) => void {
  let last: Buffer | undefined;
  const answer = () => {
    if (last && ws.readyState === ws.OPEN) ws.pong(last);
    last = undefined;
  };
  return (data) => {
    const waiting = last !== undefined;
    last = data;
    if (!socket.writableNeedDrain) answer();
    else if (!waiting) socket.once('drain', answer);
  };
}

function transportOf(
  ws: WebSocket,
  socket: Duplex,
  outbox: Outbox,
  request: IncomingMessage,
  closeSocket: WebSocket['close'],
): Transport {
  const { remoteAddress = '', remotePort = 0 } = request.socket;
  return {
    ip: remoteAddress.replace(/^::ffff:(?=\d+\.)/, ''),
    port: remotePort,
    userAgent: request.headers['user-agent'] ?? null,
    get buffered() {
      return outbox.bytes + socket.writableLength;
    },
    get taken() {
      return outbox.pushed - outbox.bytes - socket.writableLength;
    },
    send: (frames) => outbox.push(Buffer.isBuffer(frames) ? Message.of(frames) : frames),
    flush() {
      // One that is full would only be given more pieces to hold.
      if (!socket.writableNeedDrain) outbox.flush();
    },
    onDrained(drained) {
      const done = () => {
        socket.off('drain', done).off('close', done);
        drained();
      };
      // Node says `drain` only if it had said to wait for it.
      if (socket.destroyed || !socket.writableNeedDrain) queueMicrotask(drained);
      else socket.once('drain', done).once('close', done);
    },
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
