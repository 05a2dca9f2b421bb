/** HTTP answers on a bare socket: where Node makes no ServerResponse, or the wrong one. */
import { type IncomingMessage, ServerResponse, STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { WssessError } from '../common/errors.ts';

/** Milliseconds for a peer to close its side, then the socket is dropped. */
const LINGER = 1000;

/** Answers with the error's published JSON, and closes. */
export function refuse(socket: Duplex, error: WssessError, status: number = error.http): void {
  const body = JSON.stringify(error);
  socket.write(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  hangUp(socket);
}

/** A peer that keeps its side open would keep ours open too, and the server from ending. */
function hangUp(socket: Duplex): void {
  socket.end();
  const drop = setTimeout(() => socket.destroy(), LINGER);
  socket.once('close', () => clearTimeout(drop));
}

/**
 * Serves a request as if it had asked for no upgrade: one to a protocol that we don't speak, like the h2c that Java's
 * HttpClient and curl offer, may be ignored (RFC 9110, 7.8).
 */
export function ignoreUpgrade(
  request: IncomingMessage,
  socket: Duplex,
  serve: (request: IncomingMessage, response: ServerResponse) => void,
): void {
  if (!(socket instanceof Socket)) return void socket.destroy();
  socket.on('error', () => {}); // Node has let go of it: a reset would end the process
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false; // Node has let go of the socket: nobody would read a second request
  response.assignSocket(socket);
  response.once('finish', () => {
    response.detachSocket(socket);
    hangUp(socket);
  });
  serve(request, response);
}

/**
 * What isn't HTTP, or too long or too slow for it.
 * @param last the answer to the last request of this socket
 */
export function refuseGarbage(error: Error & { code?: string }, socket: Duplex, last?: ServerResponse): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  // Its body is at fault, and it was answered without that: a second answer would be taken for one to the next request.
  if (last?.headersSent && !last.req.complete) return void hangUp(socket);
  if (error.code === 'HPE_HEADER_OVERFLOW') refuse(socket, new WssessError('bad_request', 'the head is too long'), 431);
  else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    refuse(socket, new WssessError('bad_request', 'the request took too long'), 408);
  } else refuse(socket, new WssessError('bad_request', 'this is not HTTP'));
}
