/** The clients that people use, and the ways in which each is set up, over `ws`. */
import { Client, Stomp, type StompConfig, Versions } from '@stomp/stompjs';
import stompjs2 from 'stompjs';
import webstomp from 'webstomp-client';
import { WebSocket } from 'ws';
import { type Classic, openSeven, openTwo, openWeb } from './classic.ts';
import { register } from './clients.ts';
import { within } from './wait.ts';

export interface Kind {
  name: string;
  version: '1.0' | '1.1' | '1.2';
  /** It can send bytes. */
  bytes?: true;
  /** It cuts even short text between two UTF-16 units. */
  cuts?: true;
  connect(ws: string, headers: Record<string, string>): Promise<Classic>;
}

const ALL = ['v10.stomp', 'v11.stomp', 'v12.stomp'];

const seven = (options: StompConfig = {}, make = (config: StompConfig) => new Client(config)): Kind['connect'] => {
  const versions = options.stompVersions ?? Versions.default;
  return (ws, headers) => openSeven(make, open(ws, versions.protocolVersions()), headers, options);
};
const web = (options: object = {}, protocols = ALL): Kind['connect'] => {
  return (ws, headers) => {
    const socket = open(ws, protocols);
    return openWeb(webstomp.over(socket, { debug: false, heartbeat: false, ...options }), socket, headers);
  };
};
const only = (version: string) => ({ stompVersions: new Versions([version]) });

const kinds: Kind[] = [
  { name: 'stompjs 7 in 1.2', version: '1.2', bytes: true, connect: seven() },
  { name: 'stompjs 7 in 1.1', version: '1.1', bytes: true, connect: seven(only(Versions.V1_1)) },
  { name: 'stompjs 7 in 1.0', version: '1.0', bytes: true, connect: seven(only(Versions.V1_0)) },
  {
    name: 'stompjs 7 that splits its frames',
    version: '1.2',
    bytes: true,
    cuts: true,
    connect: seven({ splitLargeFrames: true, maxWebSocketChunkSize: 50 }),
  },
  {
    name: 'stompjs 7 as React Native needs it',
    version: '1.2',
    connect: (ws, headers) =>
      openSeven((config) => new Client(config), cutAtNul(open(ws, ['v12.stomp'])), headers, {
        forceBinaryWSFrames: true,
        appendMissingNULLonIncoming: true,
      }),
  },
  {
    name: 'stompjs 7 in its compat mode',
    version: '1.2',
    connect: seven({ debug: () => {} }, (config) => {
      const client = Stomp.over(config.webSocketFactory);
      client.configure(config);
      return client;
    }),
  },
  {
    name: 'stompjs 2.3.3',
    version: '1.1',
    connect(ws, headers) {
      const socket = open(ws, ['v10.stomp', 'v11.stomp']);
      return openTwo((stompjs2 as any).over(socket), socket, headers);
    },
  },
  { name: 'webstomp-client in 1.2', version: '1.2', connect: web() },
  { name: 'webstomp-client in 1.1', version: '1.1', connect: web({}, ['v11.stomp']) },
  { name: 'webstomp-client in 1.0', version: '1.0', connect: web({}, ['v10.stomp']) },
  { name: 'webstomp-client that sends binary', version: '1.2', connect: web({ binary: true }) },
];

export const KINDS: Kind[] = kinds.map((kind) => ({
  ...kind,
  connect: (ws, headers) => within(kind.connect(ws, headers), 10_000, 'CONNECTED'),
}));

function open(ws: string, protocols: string[]): WebSocket {
  const socket = new WebSocket(ws, protocols);
  register({ destroy: () => socket.terminate() });
  return socket;
}

/** React Native ends what comes at its NUL (stompjs issue 89). */
function cutAtNul(socket: WebSocket): WebSocket {
  return new Proxy(socket, {
    get(target, name) {
      const value = target[name as keyof WebSocket];
      return typeof value === 'function' ? value.bind(target) : value;
    },
    set(target, name, value) {
      const cut = (event: { data: string }) => value({ ...event, data: event.data.replace(/\0.*/s, '') });
      return Reflect.set(target, name, name === 'onmessage' ? cut : value, target);
    },
  });
}
