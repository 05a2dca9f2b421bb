/** Real STOMP clients, as browsers and programs use them, and a bare one for what they would never send. */
import { Client, type StompConfig } from '@stomp/stompjs';
import stompjs2 from 'stompjs';
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

/** To be dropped with the others. */
export function register<T extends { destroy(): void }>(client: T): T {
  clients.add(client);
  return client;
}

/** Drops all clients that are still there; for afterEach. */
export function dropClients(): void {
  for (const client of clients) client.destroy();
  clients.clear();
}

/** stompjs 7, not activated yet. It sends heart-beats, and comes back, only when asked to. */
export function make7(url: string, headers: Record<string, string>, options: StompConfig = {}): Client {
  const client: Client = new Client({
    webSocketFactory: () => new WebSocket(url, client.stompVersions.protocolVersions()),
    connectHeaders: headers,
    reconnectDelay: 0,
    heartbeatIncoming: 0,
    heartbeatOutgoing: 0,
    ...options,
  });
  register({ destroy: () => void client.deactivate({ force: true }) });
  return client;
}

/** stompjs 7, connected. */
export async function connect7(
  url: string,
  headers: Record<string, string>,
  options: StompConfig = {},
): Promise<TestClient & { client: Client }> {
  let closed: (how: { code: number; reason: string }) => void = () => {};
  const seen: Seen = { connected: {}, error: undefined, closed: new Promise((resolve) => (closed = resolve)) };
  const client = make7(url, headers, options);
  const connected = new Promise<void>((resolve, reject) => {
    client.onConnect = (frame) => {
      seen.connected = frame.headers as Record<string, string>;
      resolve();
    };
    client.onStompError = (frame) => {
      seen.error = { headers: frame.headers as Record<string, string>, body: frame.body };
    };
    client.onWebSocketClose = (event) => {
      closed({ code: event.code, reason: event.reason });
      reject(
        Object.assign(new Error(`closed ${event.code}: ${seen.error?.headers.message ?? event.reason}`), { seen }),
      );
    };
  });
  client.activate();
  await within(connected, 10_000, 'CONNECTED');
  return Object.assign(seen, {
    client,
    session: seen.connected.session!,
    disconnect: () => client.deactivate(),
    destroy: () => void client.deactivate({ force: true }),
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
  const own = register({ destroy: () => socket.terminate() });
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
  register({ destroy: () => socket.terminate() });
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
