/** stompjs 7 in its compat mode: pages written for stompjs 2 that load it instead. */
import { Stomp } from '@stomp/stompjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { register } from '../helpers/clients.ts';
import { serveForFile } from '../helpers/serve-embedded.ts';
import { SECRET, sign } from '../helpers/tokens.ts';
import { until, within } from '../helpers/wait.ts';

const served = serveForFile(['--node', 'compat'], { WSSESS_JWT_SECRET: SECRET });
let right: { login: string; passcode: string };
beforeEach(async () => {
  vi.stubGlobal('WebSocket', WebSocket);
  vi.spyOn(console, 'warn').mockReturnValue();
  right = { login: 'kim', passcode: await sign({ sub: 'kim' }) };
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

type Compat = ReturnType<typeof Stomp.client>;
function quiet(client: Compat): Compat {
  client.debug = () => {};
  client.heartbeat.outgoing = 0;
  client.heartbeat.incoming = 0;
  return register(Object.assign(client, { destroy: () => void client.deactivate({ force: true }) }));
}
const connected = (client: Compat): Promise<void> =>
  within(new Promise((resolve) => client.connect(right.login, right.passcode, () => resolve())));

describe('comes in', () => {
  it('by a URL, and by another class of WebSocket', async () => {
    for (const other of [null, class extends WebSocket {}]) {
      Stomp.WebSocketClass = other;
      const client = quiet(Stomp.client(served.ws));
      await connected(client);
      expect([client.version, client.ws.protocol, client.ws instanceof (other ?? WebSocket)]).toEqual([
        '1.2',
        'v12.stomp',
        true,
      ]);
    }
    Stomp.WebSocketClass = null;
  });

  it('with the subprotocols that are named', async () => {
    const client = quiet(Stomp.client(served.ws, ['v11.stomp']));
    await connected(client);
    expect(client.ws.protocol).toBe('v11.stomp');
  });

  it('over a socket, and over what makes one', async () => {
    await connected(quiet(Stomp.over(new WebSocket(served.ws))));
    expect(console.warn).toHaveBeenCalledTimes(1);
    await connected(quiet(Stomp.over(() => new WebSocket(served.ws))));
    expect(console.warn).toHaveBeenCalledTimes(1);
  });

  const ways: [string, (client: Compat, done: () => void) => void][] = [
    ['headers and a callback', (c, done) => c.connect(right, done)],
    ['headers and three callbacks', (c, done) => c.connect(right, done, vi.fn(), vi.fn())],
    ['login, passcode and a callback', (c, done) => c.connect(right.login, right.passcode, done)],
    ['… and a host', (c, done) => c.connect(right.login, right.passcode, done, vi.fn(), vi.fn(), 'chat.example.com')],
  ];
  it.each(ways)('by %s', async (_, connecting) => {
    const client = quiet(Stomp.client(served.ws));
    await within(new Promise<void>((resolve) => connecting(client, resolve)));
    expect(client.connected).toBe(true);
  });
});

it('is kept out with wrong credentials: the error callback, then that of the close', async () => {
  const client = quiet(Stomp.client(served.ws));
  const [done, failed] = [vi.fn(), vi.fn()];
  const close = await within(
    new Promise<{ code: number }>((resolve) => client.connect('kim', 'wrong', done, failed, resolve)),
  );
  expect([close.code, failed.mock.calls.length, done.mock.calls.length]).toEqual([1008, 1, 0]);
  expect(failed.mock.calls[0]![0].headers.cause).toBe('protocol_error');
});

it('comes back after reconnect_delay', async () => {
  const client = quiet(Stomp.client(served.ws));
  client.reconnect_delay = 20;
  const done = vi.fn();
  client.connect(right, done);
  await until(() => done.mock.calls.length === 1);
  client.ws.close();
  await until(() => done.mock.calls.length === 2);
});

it('sends, with and without content-length, and says DISCONNECT as in stompjs 2', async () => {
  const client = quiet(Stomp.client(served.ws));
  await connected(client);
  const heard: string[] = [];
  client.subscribe('/topic/a', ({ body }) => heard.push(body));
  const sent = vi.spyOn(client.ws, 'send');
  client.send('/topic/a', { 'content-length': false }, 'Hello');
  client.send('/topic/a', {}, JSON.stringify({ hello: '세계' }));
  client.send('/topic/a');
  expect(sent.mock.calls.map(([data]) => /content-length:(.+)/.exec(String(data))?.[1])).toEqual([
    undefined,
    '18',
    undefined,
  ]);
  await until(() => heard.length === 3);
  expect(heard).toEqual(['Hello', '{"hello":"세계"}', '']);
  await within(new Promise<void>((resolve) => client.disconnect(() => resolve(), { receipt: 'bye' })));
  await until(async () => (await served.sessions()).length === 0);
});

it('what nobody waits for goes to onreceipt and onreceive', async () => {
  const client = quiet(Stomp.client(served.ws));
  await connected(client);
  const seen: string[] = [];
  client.onreceipt = ({ headers }) => seen.push(`receipt ${headers['receipt-id']}`);
  client.onreceive = ({ body }) => seen.push(`message ${body}`);
  const { unsubscribe } = client.subscribe('/topic/a', () => {});
  client.send('/topic/a', { receipt: '1' }, 'late');
  unsubscribe();
  await until(() => seen.length === 2);
  expect(seen).toEqual(['message late', 'receipt 1']);
});
