/** Many STOMP clients in this process, with heart-beats off: what a client sees of its session, and nothing more. */
import { once } from 'node:events';
import { WebSocket } from 'ws';

export interface Visitor {
  user: string;
  session: string;
  socket: WebSocket;
  /** The close code, once it is closed; 1006 when the socket was lost. */
  closed: number | undefined;
}

/** Sockets that are opened at a time. */
const ABREAST = 100;
/** Milliseconds that a CONNECT may take here. */
const PATIENCE = 30_000;

/** Opens so many sessions, each of a user of its own. */
export async function gather(url: string, count: number, name = 'user'): Promise<Visitor[]> {
  const visitors: Visitor[] = [];
  let next = 0;
  await Promise.all(
    Array.from({ length: Math.min(ABREAST, count) }, async () => {
      while (next < count) visitors.push(await visit(url, `${name}-${next++}`));
    }),
  );
  return visitors;
}

/** Connects, again and again while the server says to try later, as clients do. */
async function visit(url: string, user: string): Promise<Visitor> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const answer = await knock(url, user);
    if (typeof answer !== 'string') return answer;
    if (performance.now() > end) throw new Error(`not connected: ${answer}`);
    await new Promise((wake) => setTimeout(wake, 200));
  }
}

/** @returns what came instead of CONNECTED, where it did not come */
async function knock(url: string, user: string): Promise<Visitor | string> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`);
  const visitor: Visitor = { user, session: '', socket, closed: undefined };
  socket.on('close', (code) => {
    visitor.closed = code;
  });
  socket.on('error', () => {});
  await once(socket, 'open', { signal: AbortSignal.timeout(PATIENCE) });
  socket.send(`CONNECT\naccept-version:1.2\nhost:localhost\nheart-beat:0,0\nuserId:${user}\nuserRole:GUEST\n\n\0`);
  const [frame] = (await once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE) })) as [Buffer];
  const session = /^CONNECTED\n(?:.*\n)*session:(.*)\n/.exec(String(frame))?.[1];
  if (!session) return String(frame);
  visitor.session = session;
  return visitor;
}

/** Drops the sockets that are left. */
export function disperse(visitors: readonly Visitor[]): void {
  for (const { socket } of visitors) socket.terminate();
}
