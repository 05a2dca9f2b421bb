/** States of embedded stores that live, and of such that don't. */
import { randomBytes } from 'node:crypto';
import { chownSync, statSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { vi } from 'vitest';
import type { State } from '../../src/store/state-file.ts';
import { startStore } from './embedded.ts';
import { freePort } from './redis.ts';

export interface Living {
  state: State;
  close(): Promise<void>;
}

/** The state of a store that runs, in this process. */
export async function startLiving(): Promise<Living> {
  const password = randomBytes(24).toString('base64url');
  const store = await startStore({ password });
  return { state: { pid: process.pid, port: store.port, password, prefix: 'ws' }, close: () => store.close() };
}

/** The state of a store that is gone, while its process id is that of a living process. */
export async function stale(over: Partial<State> = {}): Promise<State> {
  const password = randomBytes(24).toString('base64url');
  return { pid: process.ppid, port: await freePort(), password, prefix: 'ws', ...over };
}

/** A server that says `greeting` to whoever connects, and nothing else; without one, nothing at all. */
export async function startMute(greeting = ''): Promise<{ port: number; close(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    if (greeting) socket.write(greeting);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    port,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

/** Makes it another user's file: root gives it away; who may not do that, becomes another. @returns undoes it */
export function giveAway(file: string): () => void {
  const { uid } = statSync(file);
  if (process.geteuid!() === 0) chownSync(file, 4711, 4711);
  else vi.spyOn(process, 'geteuid').mockReturnValue(uid + 1);
  return () => void vi.restoreAllMocks();
}
