/** One face for the clients that people use, so that a scenario is written once. Runs in Node and in a browser. */
import type { Client, IMessage, StompConfig } from '@stomp/stompjs';

type Text = Record<string, string>;

/** A MESSAGE. */
export interface Heard {
  body: string;
  /** stompjs 7 alone has it. */
  binaryBody?: Uint8Array;
  headers: Text;
  ack(headers?: Text): void;
  nack(headers?: Text): void;
}

/** A frame that ended the session. */
export interface Told {
  headers: Text;
  body: string;
}

/** What all of them can do, in the words of stompjs 2. */
export interface Classic {
  /** Of CONNECTED. */
  connected: Text;
  subscribe(destination: string, callback: (message: Heard) => void, headers?: Text): { unsubscribe(): void };
  send(destination: string, headers: Text, body: string): void;
  /** The body's end is its NUL. */
  sendWithoutLength(destination: string, body: string): void;
  /** What stompjs 7 alone can. */
  sendBytes?(destination: string, body: Uint8Array): void;
  begin(): { id: string; commit(): void; abort(): void };
  /** Resolves when this receipt comes; to be asked for before the frame is sent. */
  receipt(id: string): Promise<void>;
  /** ERROR frames, and whatever else is no frame of STOMP. */
  errors: Told[];
  /** The code, when the socket has closed. */
  closed: Promise<number>;
  /** With DISCONNECT. */
  disconnect(): Promise<void>;
  /** The socket alone, without a word. */
  drop(): void;
}

/** Of `ws`, and of browsers. */
export interface Socket {
  addEventListener(type: 'close', listener: (event: { code: number }) => void): void;
  close(): void;
  /** `ws` alone has it. */
  terminate?(): void;
}

/** stompjs 7. `make` is `Client`, or what makes its CompatClient. */
export async function openSeven(
  make: (config: StompConfig) => Client,
  socket: Socket,
  connectHeaders: Text,
  options: StompConfig = {},
): Promise<Classic> {
  const client = make({
    webSocketFactory: () => socket as any,
    connectHeaders,
    reconnectDelay: 0,
    heartbeatIncoming: 0,
    heartbeatOutgoing: 0,
    ...options,
  });
  const { errors, closed } = watch(socket);
  client.onStompError = (frame) => errors.push(frame as Told);
  client.onUnhandledFrame = (frame) => errors.push(frame as Told);
  const connected = await new Promise<Text>((resolve, reject) => {
    client.onConnect = ({ headers }) => resolve(headers as Text);
    void closed.then((code) => reject(new Error(`closed ${code}: ${errors[0]?.headers.message}`)));
    client.activate();
  });
  return {
    connected,
    subscribe: (destination, callback, headers) =>
      client.subscribe(destination, (message: IMessage) => callback(message as unknown as Heard), headers),
    send: (destination, headers, body) => client.publish({ destination, headers, body }),
    sendWithoutLength: (destination, body) => client.publish({ destination, body, skipContentLengthHeader: true }),
    sendBytes: (destination, binaryBody) => client.publish({ destination, binaryBody }),
    begin: () => client.begin(),
    receipt: (id) => new Promise((resolve) => client.watchForReceipt(id, () => resolve())),
    errors,
    closed,
    disconnect: () => client.deactivate(),
    drop: () => drop(socket),
  };
}

/** stompjs 2.3.3, by `Stomp.over(socket)`. */
export function openTwo(client: any, socket: Socket, headers: Text, heartbeat = OFF): Promise<Classic> {
  client.heartbeat = heartbeat;
  client.debug = undefined;
  return openOld(client, socket, headers, (destination, text, body) => client.send(destination, text, body));
}

/** webstomp-client, by `webstomp.over(socket, options)`. */
export function openWeb(client: any, socket: Socket, headers: Text): Promise<Classic> {
  return openOld(client, socket, headers, (destination, text, body) => client.send(destination, body, text));
}

const OFF = { outgoing: 0, incoming: 0 };

/** What those two have in common; they differ in the order of what `send` takes. */
async function openOld(
  client: any,
  socket: Socket,
  headers: Text,
  send: (destination: string, headers: any, body: string) => void,
): Promise<Classic> {
  const { errors, closed } = watch(socket);
  const receipts = new Map<string, () => void>();
  client.onreceipt = (frame: Told) => receipts.get(frame.headers['receipt-id']!)?.();
  const connected = await new Promise<Text>((resolve, reject) => {
    // They call it with ERROR frames, and with the close: of that, one says a string and one the event.
    const failed = (error: Partial<Told>) => error.headers && errors.push(error as Told);
    void closed.then((code) => reject(new Error(`closed ${code}: ${errors[0]?.headers.message}`)));
    client.connect(headers, (frame: Told) => resolve(frame.headers), failed);
  });
  return {
    connected,
    subscribe: (destination, callback, text) => client.subscribe(destination, callback, text),
    send,
    sendWithoutLength: (destination, body) => send(destination, { 'content-length': false }, body),
    begin: () => client.begin(),
    receipt: (id) => new Promise((resolve) => receipts.set(id, resolve)),
    errors,
    closed,
    disconnect: () => new Promise((resolve) => client.disconnect(resolve)),
    drop: () => drop(socket),
  };
}

function watch(socket: Socket): Pick<Classic, 'errors' | 'closed'> {
  const closed = new Promise<number>((resolve) => socket.addEventListener('close', ({ code }) => resolve(code)));
  return { errors: [], closed };
}

function drop(socket: Socket): void {
  if (socket.terminate) socket.terminate();
  else socket.close();
}
