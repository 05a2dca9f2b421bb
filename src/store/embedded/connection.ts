/** One socket: bytes in, commands run in their order, replies out, each within bounds. */
import type { Socket } from 'node:net';
import { Client } from './client.ts';
import type { Engine } from './engine.ts';
import { encode } from './protocol/reply.ts';
import { ProtocolError, RequestParser } from './protocol/request.ts';

/** Milliseconds that one client's commands run before the others get their turn. */
const TURN = 5;
/** Bytes that wait for a client, or from it, before it is read on: it must take answers to ask for more. */
const ENOUGH = 1024 * 1024;

export interface ConnectionLimits {
  /** Bytes that wait for a client that is told things without asking (pub/sub, MONITOR); beyond it, it is cut. */
  output: number;
  /** Milliseconds after which a client that takes nothing of what waits for it is cut. */
  stalled: number;
  /** Milliseconds in which a client must say the password. */
  authentication: number;
}

export function serveSocket(socket: Socket, engine: Engine, limits: ConnectionLimits): void {
  const parser = new RequestParser();
  let output = '';
  let [flushing, ending] = [false, false];

  const client = new Client(`${socket.remoteAddress}:${socket.remotePort}`, {
    send(text) {
      if (output.length + socket.writableLength > limits.output) socket.destroy();
      if (socket.destroyed) return;
      output += text;
      if (flushing) return;
      flushing = true;
      setImmediate(flush);
    },
    end() {
      ending = true;
      flush();
      socket.destroySoon();
    },
    resume: () => setImmediate(run),
  });

  /** All replies of one turn leave in one write. */
  function flush(): void {
    flushing = false;
    if (output === '' || !socket.writable) return;
    socket.write(output, 'latin1');
    output = '';
  }

  const mayRun = () =>
    !ending && !socket.destroyed && !client.stopWaiting && output.length + socket.writableLength < ENOUGH;

  /** Runs what has arrived, for one turn; what is left stays in the socket until it is its turn. */
  function run(): void {
    const end = performance.now() + TURN;
    let done = false;
    try {
      while (!done && mayRun() && performance.now() < end) done = !perform();
    } catch (error) {
      // A reply too long for a string, or a fault of ours: this client is cut, the sockets of this process live on.
      if (!(error instanceof ProtocolError)) return void socket.destroy();
      output += `-ERR Protocol error: ${error.message}\r\n`;
      client.wire.end();
    }
    flush();
    // A client that waits in BLPOP is read on, or nobody would see it leave.
    if (done || (client.stopWaiting && parser.buffered < ENOUGH)) socket.resume();
    else socket.pause();
    if (!done && mayRun()) setImmediate(run);
  }

  /** Runs the next command, false when there is none. */
  function perform(): boolean {
    const words = parser.next();
    if (!words) return false;
    const reply = engine.run(client, words);
    if (reply !== undefined) output += encode(reply);
    if (client.authenticated !== parser.authenticated) {
      parser.authenticated = client.authenticated;
      clearTimeout(stranger);
    }
    return true;
  }

  const stranger = setTimeout(() => socket.destroy(), limits.authentication).unref();
  engine.clients.add(client);
  engine.statistics.connections++;
  socket.setNoDelay(true);
  socket.setTimeout(limits.stalled, () => {
    if (socket.writableLength > 0) socket.destroy();
  });
  socket.on('data', (bytes) => {
    parser.feed(bytes);
    run();
  });
  socket.on('drain', run);
  socket.on('error', () => {}); // 'close' follows
  socket.on('close', () => {
    clearTimeout(stranger);
    engine.release(client);
    engine.clients.delete(client);
  });
}
