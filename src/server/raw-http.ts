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
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  // A peer that keeps its side open keeps ours open too, and the server from ending.
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
    socket.end();
    const drop = setTimeout(() => socket.destroy(), LINGER);
    socket.once('close', () => clearTimeout(drop));
  });
  serve(request, response);
}

/** What isn't HTTP, or too long or too slow for it. */
export function refuseGarbage(error: Error & { code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy();
  if (error.code === 'HPE_HEADER_OVERFLOW') refuse(socket, new WssessError('bad_request', 'the head is too long'), 431);
  else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    refuse(socket, new WssessError('bad_request', 'the request took too long'), 408);
  } else refuse(socket, new WssessError('bad_request', 'this is not HTTP'));
}
