/** Real STOMP clients, as browsers and programs use them, and a bare one for what they would never send. */
import { Client } from '@stomp/stompjs';
import stompjs2 from 'stompjs';
import webstomp from 'webstomp-client';
import { WebSocket } from 'ws';
import { within } from './wait.ts';

/** What a client saw. */
export interface Seen {
  /** Headers of CONNECTED. */
  connected: Record<string, string>;
  /** The last ERROR frame. */
  error: { headers: Record<string, string>; body: string } | undefined;
  /** Resolves when the socket closes. */
  closed: Promise<{ code: number; reason: string }>;
}

export interface TestClient extends Seen {
  /** The session id, from CONNECTED. */
  session: string;
  /** Leaves with DISCONNECT. */
  disconnect(): Promise<void>;
  /** Drops the socket without a word. */
  destroy(): void;
}

const clients = new Set<{ destroy(): void }>();

/** Drops all clients that are still there; for afterEach. */
export function dropClients(): void {
  for (const client of clients) client.destroy();
  clients.clear();
}

/** stompjs 7. It sends heart-beats only when asked to. */
export async function connect7(
  url: string,
  headers: Record<string, string>,
  options: Record<string, unknown> = {},
): Promise<TestClient & { client: Client }> {
  let socket: WebSocket | undefined;
  let closed: (how: { code: number; reason: string }) => void = () => {};
  const seen: Seen = { connected: {}, error: undefined, closed: new Promise((resolve) => (closed = resolve)) };
  const client = new Client({
    webSocketFactory: () => {
      socket = new WebSocket(url, ['v12.stomp', 'v11.stomp', 'v10.stomp']);
      return socket;
    },
    connectHeaders: headers,
    reconnectDelay: 0,
    heartbeatIncoming: 0,
    heartbeatOutgoing: 0,
    ...options,
  });
  const connected = new Promise<void>((resolve, reject) => {
    client.onConnect = (frame) => {
      seen.connected = frame.headers;
      resolve();
    };
    client.onStompError = (frame) => {
      seen.error = { headers: frame.headers, body: frame.body };
    };
    client.onWebSocketClose = (event) => {
      closed({ code: event.code, reason: event.reason });
      reject(
        Object.assign(new Error(`closed ${event.code}: ${seen.error?.headers.message ?? event.reason}`), { seen }),
      );
    };
  });
  client.activate();
  const own = { destroy: () => socket?.terminate() };
  clients.add(own);
  await within(connected, 10_000, 'CONNECTED');
  return Object.assign(seen, {
    client,
    session: seen.connected.session!,
    disconnect: () => client.deactivate(),
    destroy: own.destroy,
  });
}

/** stompjs 2.3.3, the one of the seeds. */
export async function connect2(url: string, headers: Record<string, string>): Promise<TestClient & { client: any }> {
  const socket = new WebSocket(url, ['v10.stomp', 'v11.stomp']);
  const client = (stompjs2 as any).over(socket);
  client.debug = () => {};
  client.heartbeat = { outgoing: 0, incoming: 0 };
  const seen: Seen = {
    connected: {},
    error: undefined,
    closed: new Promise((resolve) =>
      socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })),
    ),
  };
  const own = { destroy: () => socket.terminate() };
  clients.add(own);
  await within(
    new Promise<void>((resolve, reject) => {
      client.connect(
        headers,
        (frame: { headers: Record<string, string> }) => {
          seen.connected = frame.headers;
          resolve();
        },
        (error: { headers?: Record<string, string>; body?: string } | string) => {
          if (typeof error === 'object') seen.error = { headers: error.headers ?? {}, body: error.body ?? '' };
          reject(new Error(typeof error === 'string' ? error : error.headers?.message));
        },
      );
    }),
    10_000,
    'CONNECTED',
  );
  return Object.assign(seen, {
    client,
    session: seen.connected.session!,
    disconnect: () => new Promise<void>((resolve) => client.disconnect(resolve)),
    destroy: own.destroy,
  });
}

/** webstomp-client, of the same time as stompjs 2, which speaks 1.2. */
export async function connectWeb(url: string, headers: Record<string, string>): Promise<{ client: webstomp.Client }> {
  const socket = new WebSocket(url, ['v10.stomp', 'v11.stomp', 'v12.stomp']);
  const client = webstomp.over(socket, { debug: false, heartbeat: false });
  clients.add({ destroy: () => socket.terminate() });
  await within(
    new Promise<void>((resolve, reject) => {
      client.connect(
        headers,
        () => resolve(),
        (error) => reject(new Error(`not connected: ${JSON.stringify(error)}`)),
      );
    }),
    10_000,
    'CONNECTED',
  );
  return { client };
}

/** A bare WebSocket: sends any bytes, keeps all that comes. */
export interface Bare {
  socket: WebSocket;
  send(text: string | Buffer): void;
  /** Everything received so far, messages joined. */
  received(): string;
  /** The messages as they came. */
  messages: Buffer[];
  closed: Promise<{ code: number; reason: string }>;
}

export async function connectBare(url: string, protocols: string[] = [], headers = {}): Promise<Bare> {
  const socket = new WebSocket(url, protocols, { headers });
  const messages: Buffer[] = [];
  socket.on('message', (data: Buffer) => messages.push(data));
  socket.on('error', () => {});
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })),
  );
  clients.add({ destroy: () => socket.terminate() });
  await within(
    new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
      socket.once('unexpected-response', (_, response) => reject(new Error(`HTTP ${response.statusCode}`)));
    }),
  );
  return {
    socket,
    send: (data) => socket.send(data),
    received: () => Buffer.concat(messages).toString(),
    messages,
    closed,
  };
}

/** A frame as text. */
export function frame(command: string, headers: Record<string, string | number> = {}, body = ''): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}:${value}\n`);
  return `${command}\n${lines.join('')}\n${body}\0`;
}
