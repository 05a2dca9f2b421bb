/**
 * What the page of browser.test.ts runs, beside the builds of the clients that pages load: every scenario with each of
 * them, while others keep up heart-beats of a second.
 */
import type { Client, StompConfig } from '@stomp/stompjs';
import { type Classic, openSeven, openTwo, openWeb } from '../helpers/classic.ts';
import { sleep } from '../helpers/wait.ts';
import { scenariosFor } from './scenarios/all.ts';
import { play, type World } from './scenarios/scenario.ts';

/** The globals of the browser and of the clients, and what the test says. */
declare const window: {
  WebSocket: new (url: string, protocols: string[]) => any;
  StompJs: { Client: new (config: StompConfig) => Client; Stomp: { over(make: unknown): Client } };
  Stomp: { over(socket: unknown): any };
  webstomp: { over(socket: unknown, options: object): any };
  said: { ws: string; user: string; token: string };
};

export interface Result {
  client: string;
  scenario: string;
  /** What went wrong. */
  error?: string;
}

/** Longer than either side waits for a beat of the other. */
const BEATING = 4500;

const { ws, user, token } = window.said;
const headers = () => ({ Authorization: `Bearer ${token}` });
const open = (...protocols: string[]) => new window.WebSocket(ws, protocols);

type Open = (beat: number) => Promise<Classic>;
const seven =
  (make: (config: StompConfig) => Client, options: StompConfig = {}): Open =>
  (beat) => {
    const beats = { heartbeatIncoming: beat, heartbeatOutgoing: beat };
    const socket = open('v12.stomp', 'v11.stomp', 'v10.stomp');
    socket.binaryType = 'arraybuffer';
    return openSeven(make, socket, headers(), { ...beats, ...options });
  };
const web =
  (binary: boolean): Open =>
  (beat) => {
    const socket = open('v10.stomp', 'v11.stomp', 'v12.stomp');
    const heartbeat = { outgoing: beat, incoming: beat };
    return openWeb(window.webstomp.over(socket, { debug: false, binary, heartbeat }), socket, headers());
  };

const CLIENTS: { name: string; version: World['version']; bytes: boolean; open: Open }[] = [
  { name: 'stompjs 7', version: '1.2', bytes: true, open: seven((config) => new window.StompJs.Client(config)) },
  {
    name: 'stompjs 7 that beats from a worker',
    version: '1.2',
    bytes: true,
    open: seven((config) => new window.StompJs.Client(config), { heartbeatStrategy: 'worker' as never }),
  },
  {
    name: 'stompjs 7 in its compat mode',
    version: '1.2',
    bytes: true,
    open: seven((config) => {
      const client = window.StompJs.Stomp.over(config.webSocketFactory);
      client.configure({ ...config, debug: () => {} });
      return client;
    }),
  },
  {
    name: 'stompjs 2.3.3',
    version: '1.1',
    bytes: false,
    open(beat) {
      const socket = open('v10.stomp', 'v11.stomp');
      return openTwo(window.Stomp.over(socket), socket, headers(), { outgoing: beat, incoming: beat });
    },
  },
  { name: 'webstomp-client', version: '1.2', bytes: false, open: web(false) },
  { name: 'webstomp-client that sends binary', version: '1.2', bytes: false, open: web(true) },
];

let destinations = 0;
const results: Result[] = [];
const attempt = async (client: string, scenario: string, work: Promise<unknown>) => {
  const error = await work.then(
    () => undefined,
    (reason: Error) => reason.message,
  );
  results.push(error === undefined ? { client, scenario } : { client, scenario, error });
};

async function keepsUpHeartBeats(connect: Open): Promise<void> {
  const { errors, closed, disconnect } = await connect(1000);
  const code = await Promise.race([closed, sleep(BEATING)]);
  if (code !== undefined) throw new Error(`closed ${code}: ${errors[0]?.headers.message}`);
  await disconnect();
}

async function playAll({ name, version, bytes, open: connect }: (typeof CLIENTS)[number]): Promise<void> {
  const opened: Classic[] = [];
  const world: World = {
    version,
    user,
    beyond: '😀',
    async connect() {
      const client = await connect(0);
      opened.push(client);
      return client;
    },
    topic: () => `/topic/t${++destinations}`,
    queue: () => `/queue/q${++destinations}`,
  };
  for (const scenario of scenariosFor(version, bytes)) {
    await attempt(name, scenario.name, play(scenario, world));
    for (const client of opened.splice(0)) client.drop();
  }
}

const beating = CLIENTS.map(({ name, open: connect }) => attempt(name, 'heart-beats', keepsUpHeartBeats(connect)));
for (const client of CLIENTS) await playAll(client);
await Promise.all(beating);
await fetch('/done', { method: 'POST', body: JSON.stringify(results) });
