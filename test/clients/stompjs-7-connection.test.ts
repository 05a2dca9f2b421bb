/** stompjs 7: how it comes in and is kept out, and how it leaves. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ActivationState, type Client, type IFrame, type StompConfig, Versions } from '@stomp/stompjs';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { connect7, make7 } from '../helpers/clients.ts';
import { serveForFile } from '../helpers/serve-embedded.ts';
import { SECRET, sign } from '../helpers/tokens.ts';
import { until, within } from '../helpers/wait.ts';

const served = serveForFile(['--node', 'connection'], { WSSESS_JWT_SECRET: SECRET });
/** login and passcode, as people who know no tokens call them. */
let right: { login: string; passcode: string };
beforeAll(async () => {
  right = { login: 'kim', passcode: await sign({ sub: 'kim' }) };
});
afterEach(() => {
  vi.unstubAllGlobals();
});

/** What a client's callbacks were called with, in their order. */
function record(client: Client) {
  const seen: string[] = [];
  const frames: Record<string, IFrame> = {};
  const stomp = (name: string) => (frame: IFrame) => {
    seen.push(name);
    frames[name] = frame;
  };
  client.configure({
    beforeConnect: () => void seen.push('before connect'),
    onConnect: stomp('connect'),
    onDisconnect: stomp('disconnect'),
    onStompError: stomp('error'),
    onWebSocketError: () => seen.push('socket error'),
    onWebSocketClose: ({ code }) => seen.push(`close ${code}`),
  });
  const closed = () => within(until(() => seen.at(-1)?.startsWith('close')));
  return { seen, frames, closed };
}

describe('comes in', () => {
  it.each([
    [Versions.default.versions, '1.2', 'v12.stomp'],
    [['1.0', '1.1', '1.2'], '1.2', 'v12.stomp'],
    [['1.0', '1.1'], '1.1', 'v11.stomp'],
    [['1.0'], '1.0', 'v10.stomp'],
    [['1.2', '2.0'], '1.2', 'v12.stomp'],
  ])('with the versions %j: the highest in common, and its subprotocol', async (versions, version, protocol) => {
    const { client, connected } = await connect7(served.ws, right, { stompVersions: new Versions(versions) });
    expect(client.connectedVersion).toBe(version);
    expect((client.webSocket as unknown as WebSocket).protocol).toBe(protocol);
    expect(connected).toMatchObject({ version, 'user-name': 'kim', server: expect.stringMatching(/^wssess\//) });
  });

  it('without a subprotocol, and by the other path', async () => {
    const bare = () => new WebSocket(served.ws.replace('/ws', '/connection/websocket'));
    const { client } = await connect7(served.ws, right, { webSocketFactory: bare });
    expect((client.webSocket as unknown as WebSocket).protocol).toBe('');
  });

  it('by brokerURL alone', async () => {
    vi.stubGlobal('WebSocket', WebSocket);
    const client = make7(served.ws, right, { webSocketFactory: undefined as never, brokerURL: served.ws });
    const { seen } = record(client);
    client.activate();
    await until(() => seen.includes('connect'));
  });

  it('with a host and with none; its headers stay as they were', async () => {
    for (const headers of [{ ...right }, { ...right, host: 'chat.example.com' }]) {
      const before = { ...headers };
      const { client } = await connect7(served.ws, headers);
      expect(client.connectHeaders).toEqual(before);
    }
  });

  it('when what it waits for before connecting is done', async () => {
    const client = make7(served.ws, {});
    client.beforeConnect = async () => {
      await new Promise((resolve) => setImmediate(resolve));
      client.connectHeaders = right;
    };
    const connected = new Promise<void>((resolve) => {
      client.onConnect = () => resolve();
    });
    client.activate();
    await within(connected);
  });
});

describe('is kept out', () => {
  const refused = async (headers: Record<string, string>, options: StompConfig = {}) => {
    const client = make7(served.ws, headers, options);
    const { seen, frames, closed } = record(client);
    client.activate();
    await closed();
    return { seen, error: frames.error! };
  };

  it('with wrong credentials: ERROR, then the close', async () => {
    const { seen, error } = await refused({ login: 'kim', passcode: 'wrong' });
    expect(seen).toEqual(['before connect', 'error', 'close 1008']);
    expect(error.headers).toMatchObject({ cause: 'protocol_error', message: expect.stringMatching(/token/) });
    expect(error.body).not.toBe('');
    expect(error.body).not.toContain('wrong');
  });

  it('with none', async () => {
    const { seen } = await refused({});
    expect(seen).toEqual(['before connect', 'error', 'close 1008']);
  });

  it('with versions that nobody speaks: ERROR lists those that the server does', async () => {
    const webSocketFactory = () => new WebSocket(served.ws); // of subprotocols it knows none would be agreed on
    const stompVersions = new Versions(['1.3', '2.0']);
    const { seen, error } = await refused(right, { stompVersions, webSocketFactory });
    expect(seen).toEqual(['before connect', 'error', 'close 1002']);
    expect(error.headers.version).toBe('1.0,1.1,1.2');
  });

  it('by a path that is no endpoint: a WebSocket error, then the close', async () => {
    const client = make7(served.ws.replace('/ws', '/nowhere'), right);
    const { seen, closed } = record(client);
    client.activate();
    await closed();
    expect(seen).toEqual(['before connect', 'socket error', 'close 1006']);
  });

  it('by a server that is none of STOMP', async () => {
    const other = createServer((_, response) => response.end());
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const client = make7(`ws://127.0.0.1:${(other.address() as AddressInfo).port}/ws`, right);
    const { seen, closed } = record(client);
    client.activate();
    await closed();
    expect(seen).toEqual(['before connect', 'socket error', 'close 1006']);
    other.closeAllConnections();
    other.close();
  });
});

describe('leaves', () => {
  const connected = async () => {
    const client = make7(served.ws, right);
    const recorded = record(client);
    client.activate();
    await until(() => recorded.seen.includes('connect'));
    expect(await served.sessions()).toHaveLength(1);
    return { client, ...recorded };
  };
  const unregistered = () => until(async () => (await served.sessions()).length === 0);

  it('by DISCONNECT: its receipt comes when the session is unregistered, then the close', async () => {
    const { client, seen, frames } = await connected();
    const { onDisconnect } = client;
    let left: Promise<string[]> | undefined;
    client.onDisconnect = (frame) => {
      left = served.sessions();
      onDisconnect(frame);
    };
    await client.deactivate();
    expect(await left).toEqual([]);
    expect(client.state).toBe(ActivationState.INACTIVE);
    expect(seen).toEqual(['before connect', 'connect', 'disconnect', expect.stringMatching(/^close 100[05]$/)]);
    expect(frames.disconnect?.headers['receipt-id']).toMatch(/^close-/);
  });

  it('by DISCONNECT with headers that were set last, which stay as they were', async () => {
    const { client, frames } = await connected();
    const headers = { receipt: 'bye', reason: 'a: b' };
    client.disconnectHeaders = { receipt: 'not this' };
    client.disconnectHeaders = headers;
    await client.deactivate();
    expect(frames.disconnect?.headers['receipt-id']).toBe('bye');
    expect(headers).toEqual({ receipt: 'bye', reason: 'a: b' });
  });

  it('by force: no DISCONNECT, and the session ends all the same', async () => {
    const { client, seen } = await connected();
    await client.deactivate({ force: true });
    expect(seen).toEqual(['before connect', 'connect', 'close 1006']);
    await unregistered();
  });

  it('by a close of its socket', async () => {
    const { client, seen, closed } = await connected();
    client.forceDisconnect();
    client.forceDisconnect(); // half closed by now
    await closed();
    client.forceDisconnect();
    expect(seen).toEqual(['before connect', 'connect', expect.stringMatching(/^close 100[05]$/)]);
    await unregistered();
  });

  it('by several calls at once', async () => {
    const { client } = await connected();
    await Promise.all([client.deactivate(), client.deactivate()]);
    expect(client.active).toBe(false);
    expect(await served.sessions()).toEqual([]);
    await client.deactivate({ force: true });
  });

  it('before it came in', async () => {
    const early = make7(served.ws, right);
    await early.deactivate({ force: true });
    const { seen } = record(early);
    early.beforeConnect = () => void early.deactivate();
    early.activate();
    await until(() => early.state === ActivationState.INACTIVE);
    expect(seen).toEqual([]);
  });

  it.each(['socket opens', 'CONNECT is on its way'])('while its %s', async (moment) => {
    const client = make7(served.ws, right, {
      webSocketFactory() {
        const socket = new WebSocket(served.ws, ['v12.stomp']);
        const leave = () => void client.deactivate();
        if (moment === 'socket opens') queueMicrotask(leave);
        else socket.on('open', () => queueMicrotask(leave)); // CONNECT goes out in the same turn
        return socket;
      },
    });
    const { seen } = record(client);
    client.activate();
    await until(() => client.state === ActivationState.INACTIVE);
    expect(seen).not.toContain('connect');
    await unregistered();
  });

  it('and comes in again, at once or later', async () => {
    const { client, seen } = await connected();
    const comings = () => seen.filter((one) => one === 'connect').length;
    await client.deactivate();
    client.activate();
    await until(() => comings() === 2);
    void client.deactivate();
    client.activate(); // while it is still leaving
    await until(() => comings() === 3);
    await client.deactivate({ force: true });
    client.activate();
    await until(() => comings() === 4);
    for (const act of ['deactivate', 'deactivate', 'activate', 'activate'] as const) void client[act]();
    await until(() => comings() === 5);
    await until(async () => (await served.sessions()).length === 1);
    for (const act of ['deactivate', 'activate', 'deactivate'] as const) void client[act]();
    await until(() => client.state === ActivationState.INACTIVE);
    await unregistered();
    expect(comings()).toBe(5);
  });
});
