/** Heart-beats of every client that people use: kept for seconds, lost on either side. */
import { Client, Stomp, type StompConfig, Versions } from '@stomp/stompjs';
import stompjs2 from 'stompjs';
import { expect, it } from 'vitest';
import webstomp from 'webstomp-client';
import { WebSocket } from 'ws';
import { type Classic, openSeven, openTwo, openWeb } from '../helpers/classic.ts';
import { connect7, register } from '../helpers/clients.ts';
import { startFaultProxy } from '../helpers/fault-proxy.ts';
import { serveForFile } from '../helpers/serve-embedded.ts';
import { until, within } from '../helpers/wait.ts';

const USER = { userId: 'kim', userRole: 'AGENT' };
/** The server can and wants 200 ms; it gives a client that much and a second more. */
const served = serveForFile(['--node', 'heart-beats', '--heart-beat', '200ms,200ms']);

/** A socket that counts lone newlines each way, and can be told to send no more of them. */
function countingSocket(ws: string, protocols: string[]) {
  const socket = new WebSocket(ws, protocols);
  register({ destroy: () => socket.terminate() });
  const beats = { sent: 0, received: 0, muted: false };
  const isBeat = (data: unknown) => String(data) === '\n';
  socket.on('message', (data) => {
    if (isBeat(data)) beats.received++;
  });
  const send = socket.send.bind(socket);
  socket.send = (data: string | Uint8Array) => {
    if (isBeat(Buffer.from(data as Uint8Array))) {
      if (beats.muted) return;
      beats.sent++;
    }
    send(data);
  };
  return { socket, beats };
}

/** Milliseconds that a client can send and wants to hear after. */
interface Beating {
  outgoing: number;
  incoming: number;
}
type Open = (
  ws: string,
  beating: Beating,
) => { client: Promise<Classic>; socket: WebSocket; beats: { sent: number; received: number; muted: boolean } };

const sevenBy =
  (make: (config: StompConfig) => Client, stompVersions = Versions.default): Open =>
  (ws, { outgoing, incoming }) => {
    const { socket, beats } = countingSocket(ws, stompVersions.protocolVersions());
    const options = { stompVersions, heartbeatOutgoing: outgoing, heartbeatIncoming: incoming };
    return { client: openSeven(make, socket, USER, options), socket, beats };
  };
const CLIENTS: [string, Open][] = [
  ['stompjs 7', sevenBy((config) => new Client(config))],
  ['stompjs 7 in 1.1', sevenBy((config) => new Client(config), new Versions(['1.1']))],
  [
    'stompjs 7 in its compat mode',
    sevenBy((config) => {
      const client = Stomp.over(config.webSocketFactory);
      client.configure({ ...config, debug: () => {} });
      client.heartbeat = { incoming: config.heartbeatIncoming!, outgoing: config.heartbeatOutgoing! };
      return client;
    }),
  ],
  [
    'stompjs 2.3.3',
    (ws, heartbeat) => {
      const { socket, beats } = countingSocket(ws, ['v10.stomp', 'v11.stomp']);
      return { client: openTwo((stompjs2 as any).over(socket), socket, { ...USER }, heartbeat), socket, beats };
    },
  ],
  ...[false, true].map((binary): [string, Open] => [
    `webstomp-client${binary ? ' that sends binary' : ''}`,
    (ws, heartbeat) => {
      const { socket, beats } = countingSocket(ws, ['v12.stomp']);
      const client = webstomp.over(socket, { debug: false, binary, heartbeat });
      return { client: openWeb(client, socket, { ...USER }), socket, beats };
    },
  ]),
];

/** They take seconds: all of them do it at the same time. */
const each = (act: (open: Open) => Promise<void>) => () =>
  Promise.all(
    CLIENTS.map(([name, open]) =>
      act(open).catch((error: Error) => {
        error.message = `${name}: ${error.message}`;
        throw error;
      }),
    ),
  );

it(
  'beat every second, and are beaten to, for seconds',
  each(async (open) => {
    const { client, socket, beats } = open(served.ws, { outgoing: 1000, incoming: 1000 });
    const { connected, errors } = await within(client);
    expect(connected['heart-beat']).toBe('200,200');
    // Longer than either side would wait for the other.
    await until(() => beats.sent >= 4 && beats.received >= 4, 25_000);
    expect([socket.readyState, errors]).toEqual([WebSocket.OPEN, []]);
  }),
);

it(
  'whoever stops beating is cut: ERROR says why, then the close',
  each(async (open) => {
    const { client, beats } = open(served.ws, { outgoing: 200, incoming: 0 });
    const { errors, closed } = await within(client);
    await until(() => beats.sent >= 2);
    beats.muted = true;
    expect(await within(closed)).toBe(1002);
    expect(errors.map(({ headers }) => headers.cause)).toEqual(['heartbeat']);
    expect(errors[0]!.headers.message).toMatch(/^no heart-beat for \d+ ms$/);
    expect(beats.received).toBe(0);
  }),
);

it(
  'see that the server fell silent',
  each(async (open) => {
    const proxy = await startFaultProxy(served.serve.port);
    const { client, socket, beats } = open(proxy.ws, { outgoing: 0, incoming: 1000 });
    await within(client);
    await until(() => beats.received >= 2);
    proxy.hold('to client');
    await until(() => socket.readyState !== WebSocket.OPEN);
    expect(beats.sent).toBe(0);
    await proxy.close();
  }),
);

it(
  'want none and promise none: there are none',
  each(async (open) => {
    const none = open(served.ws, { outgoing: 0, incoming: 0 });
    const other = open(served.ws, { outgoing: 200, incoming: 1000 });
    const { errors } = await within(none.client);
    await within(other.client);
    // More than would cut a client that promised some.
    await until(() => other.beats.sent >= 7 && other.beats.received >= 1);
    expect([none.beats.sent, none.beats.received, none.socket.readyState, errors]).toEqual([0, 0, WebSocket.OPEN, []]);
  }),
);

it('stompjs 7 sees that a server that stands still sends no heart-beats', async () => {
  const { client } = await connect7(served.ws, USER, {
    heartbeatIncoming: 200,
    heartbeatOutgoing: 200,
    discardWebsocketOnCommFailure: true,
  });
  served.serve.process.kill('SIGSTOP');
  try {
    await until(() => !client.connected, 10_000, 'stompjs to notice');
  } finally {
    served.serve.process.kill('SIGCONT');
  }
});
