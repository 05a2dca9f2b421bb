/** One device that is connected: a stompjs client over a WebSocket of its own, as a browser has it. */
import { Client, type IFrame } from '@stomp/stompjs';
import { WebSocket } from 'ws';
import type { Device } from './people.ts';

/** STOMP heart-beats of those that send any, in milliseconds. */
const HEART_BEAT = 10_000;
/** Milliseconds from the first packet to CONNECTED. */
const PATIENCE = 15_000;
const SUBPROTOCOLS = ['v12.stomp', 'v11.stomp', 'v10.stomp'];

/** How a socket closed, as the client was told. */
export interface Closed {
  code: number;
  reason: string;
}

export class Visitor {
  readonly device: Device;
  /** From CONNECTED. */
  session = '';
  /** The ERROR frame that it received. */
  error: IFrame | undefined;
  /** Messages that it received. */
  received = 0;
  /** What it did itself; undefined while it is here, or when it was thrown out. */
  went: 'left' | 'vanished' | undefined;
  readonly closed: Promise<Closed>;
  readonly #client: Client;
  #socket: WebSocket | undefined;
  #why = '';

  constructor(device: Device, url: string) {
    this.device = device;
    const { promise, resolve } = withResolvers<Closed>();
    this.closed = promise;
    const beats = device.habit === 'idles' ? 0 : HEART_BEAT;
    this.#client = new Client({
      webSocketFactory: () => {
        this.#socket = new WebSocket(url, SUBPROTOCOLS, { headers: { 'user-agent': device.agent } });
        this.#socket.on('error', (error: NodeJS.ErrnoException) => {
          this.#why = error.code ?? error.message;
        });
        return this.#socket;
      },
      // A real customer comes back by itself; here the crowd decides who comes.
      reconnectDelay: 0,
      heartbeatIncoming: beats,
      heartbeatOutgoing: beats,
      connectHeaders: { userId: device.user, userRole: device.role },
      onStompError: (frame) => {
        this.error = frame;
      },
      onWebSocketClose: ({ code, reason }: Closed) => resolve({ code, reason }),
    });
  }

  /** Resolves once it is connected and subscribed. @throws Error saying why it is not */
  async connect(): Promise<void> {
    const { promise, resolve, reject } = withResolvers<void>();
    this.#client.onConnect = ({ headers }) => {
      this.session = headers.session ?? '';
      for (const topic of this.device.topics) {
        this.#client.subscribe(topic, () => {
          this.received++;
        });
      }
      resolve();
    };
    void this.closed.then(({ code, reason }) => {
      reject(new Error(this.error?.headers.message || this.#why || reason || `closed with ${code}`));
    });
    const late = setTimeout(() => {
      this.#why = 'no CONNECTED in time';
      this.destroy();
    }, PATIENCE);
    this.#client.activate();
    await promise.finally(() => clearTimeout(late));
  }

  get connected(): boolean {
    return this.#client.connected;
  }

  say(text: string): void {
    const [destination] = this.device.topics;
    if (destination === undefined || !this.connected) return;
    this.#client.publish({ destination, body: JSON.stringify({ from: this.device.user, text }) });
  }

  /** Leaves as a well-behaved client does, by DISCONNECT. */
  async leave(): Promise<void> {
    this.went = 'left';
    await this.#client.deactivate();
  }

  /** The tab is closed: the socket is gone, and nobody said a word. */
  vanish(): void {
    this.went = 'vanished';
    this.destroy();
  }

  destroy(): void {
    this.#socket?.terminate();
  }
}

/** Promise.withResolvers, which Node 20 lacks. */
function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: Error) => void = () => {};
  const promise = new Promise<T>((fulfil, refuse) => {
    resolve = fulfil;
    reject = refuse;
  });
  return { promise, resolve, reject };
}
