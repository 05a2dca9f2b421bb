/** One socket: bytes in, commands run in their order, replies out, each within bounds. */
import type { Socket } from 'node:net';
import { Client, type Wire } from './client.ts';
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
  let parser = new RequestParser();
  let output = '';
  /** What of them is in the client's `held`. */
  let counted = 0;
  let [flushing, ending] = [false, false];

  const wire: Wire = {
    send(text) {
      if (output.length + socket.writableLength > limits.output) socket.destroy();
      if (!ending && !socket.destroyed) output += text;
      account();
      if (flushing || output === '') return;
      flushing = true;
      setImmediate(flush);
    },
    end() {
      ending = true;
      flush();
      socket.destroySoon();
    },
    cut(why) {
      parser = new RequestParser();
      const canHear = output === '' && socket.writableLength === 0;
      output = canHear ? encode(why) : '';
      if (!canHear) socket.destroy(); // what waits for it is the trouble
      wire.end();
      account();
    },
    resume: () => setImmediate(run),
  };
  const client = new Client(`${socket.remoteAddress}:${socket.remotePort}`, wire, engine);

  /** Counts what waits here, to the client and from it. */
  function account(): void {
    const now = socket.destroyed ? 0 : parser.held + output.length + socket.writableLength;
    client.hold(now - counted);
    counted = now;
    engine.trim();
  }

  /** All replies of one turn leave in one write. */
  function flush(): void {
    flushing = false;
    if (output === '' || !socket.writable) return;
    socket.write(output, 'latin1', account);
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
      if (error instanceof ProtocolError) {
        output += `-ERR Protocol error: ${error.message}\r\n`;
        wire.end();
      } else {
        // A fault of ours: this client is cut, the sockets of this process live on.
        engine.fault(error as Error);
        socket.destroy();
      }
    }
    flush();
    account();
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
    if (reply !== undefined && !ending) output += encode(reply, engine.limits.perClient);
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
    if (ending) return void socket.pause();
    parser.feed(bytes);
    run();
  });
  socket.on('drain', run);
  socket.on('error', () => {}); // 'close' follows
  socket.on('close', () => {
    clearTimeout(stranger);
    account();
    engine.release(client);
    engine.clients.delete(client);
  });
}
