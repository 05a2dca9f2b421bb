/** A client of the soak: what it knows of itself is the model's truth. Heart-beats are off: it is there while its socket is. */
import { WebSocket } from 'ws';
import { within } from '../wait.ts';

export interface Guest {
  user: string;
  node: string;
  session: string;
  /** CONNECTED has come, and no close since. */
  readonly online: boolean;
  /** The close code; undefined while the socket is open. */
  readonly closed: number | undefined;
  /** SEND to a topic; nobody waits for it. */
  say(destination: string, body: string): void;
  /** DISCONNECT, and the close. */
  leave(): Promise<void>;
  /** The socket is gone, without a word. */
  drop(): void;
}

/** @returns undefined when the node refuses, or is gone: then there is no session */
export async function connectGuest(ws: string, node: string, user: string): Promise<Guest | undefined> {
  const socket = new WebSocket(ws);
  let [session, closed]: [string, number | undefined] = ['', undefined];
  const ended = new Promise<void>((resolve) =>
    socket.on('close', (code) => {
      closed = code;
      resolve();
    }),
  );
  socket.on('error', () => {});
  socket.on('open', () => {
    socket.send(`CONNECT\naccept-version:1.2\nhost:soak\nheart-beat:0,0\nuserId:${user}\nuserRole:GUEST\n\n\0`);
  });
  const answered = new Promise<void>((resolve) =>
    socket.on('message', (data) => {
      session ||= /^CONNECTED\n(?:.*\n)*session:(.*)\n/.exec(String(data))?.[1] ?? '';
      resolve();
    }),
  );
  await within(Promise.race([answered, ended]), 60_000, `the answer to CONNECT of ${user} at ${node}`);
  if (session === '') {
    socket.terminate();
    return undefined;
  }
  return {
    user,
    node,
    session,
    get online() {
      return closed === undefined;
    },
    get closed() {
      return closed;
    },
    say(destination, body) {
      if (socket.readyState === socket.OPEN) socket.send(`SEND\ndestination:${destination}\n\n${body}\0`);
    },
    async leave() {
      if (socket.readyState === socket.OPEN) socket.send('DISCONNECT\nreceipt:bye\n\n\0');
      await within(ended, 60_000, `${user} to leave ${node}`).catch(() => socket.terminate());
    },
    drop: () => socket.terminate(),
  };
}
