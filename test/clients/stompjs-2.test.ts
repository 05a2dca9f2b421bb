/** stompjs 2.3.3, which many pages still have: its own ways. What all clients do is in every-client.test.ts. */
import stompjs2 from 'stompjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { connect2, connect7, register } from '../helpers/clients.ts';
import { serveForFile } from '../helpers/serve-embedded.ts';
import { talk } from '../helpers/talk.ts';
import { SECRET, sign } from '../helpers/tokens.ts';
import { until, within } from '../helpers/wait.ts';

const Stomp = stompjs2 as any;
const served = serveForFile(['--node', 'stompjs-2'], { WSSESS_JWT_SECRET: SECRET });
let right: { login: string; passcode: string };
beforeAll(async () => {
  Stomp.WebSocketClass = WebSocket; // as its documentation has it for programs
  right = { login: 'kim', passcode: await sign({ sub: 'kim' }) };
});
afterAll(() => {
  Stomp.WebSocketClass = undefined;
});

function create(url = served.ws) {
  const client = Stomp.client(url);
  client.debug = undefined;
  client.heartbeat = { outgoing: 0, incoming: 0 };
  const socket: WebSocket = client.ws;
  socket.on('error', () => {});
  register({ destroy: () => socket.terminate() });
  return { client, socket };
}
/** Connected, with what it sent since as WebSocket messages. */
async function connect() {
  const connected = await connect2(served.ws, { ...right });
  const sent: string[] = [];
  const { ws } = connected.client;
  const send = ws.send.bind(ws);
  ws.send = (data: string) => {
    sent.push(data);
    send(data);
  };
  const heard: any[] = [];
  return Object.assign(connected, { sent, heard, listen: (message: any) => void heard.push(message) });
}

describe('comes in', () => {
  const ways: [string, (client: any, done: () => void, failed: () => void) => void][] = [
    ['headers and a callback', (c, done) => c.connect({ ...right }, done)],
    ['headers and two callbacks', (c, done, failed) => c.connect({ ...right }, done, failed)],
    ['login, passcode and a callback', (c, done) => c.connect(right.login, right.passcode, done)],
    ['… two callbacks', (c, done, failed) => c.connect(right.login, right.passcode, done, failed)],
    ['… and a host', (c, done, failed) => c.connect(right.login, right.passcode, done, failed, 'chat.example.com')],
  ];
  it.each(ways)('by %s', async (_, connecting) => {
    const { client, socket } = create();
    await within(new Promise<void>((resolve, reject) => connecting(client, resolve, reject)));
    expect([client.connected, socket.protocol]).toEqual([true, 'v11.stomp']);
  });

  it('with the heart-beats it asks for unless told otherwise', async () => {
    const client = Stomp.over(create().socket);
    client.debug = undefined;
    await within(new Promise((resolve) => client.connect({ ...right }, resolve)));
    expect(client.heartbeat).toEqual({ outgoing: 10_000, incoming: 10_000 });
    expect(client.ponger).toBeTruthy();
    client.disconnect();
  });
});

describe('is kept out', () => {
  const failures = async (url: string | undefined, passcode: string) => {
    const { client, socket } = create(url);
    const failed: any[] = [];
    client.connect(
      'kim',
      passcode,
      () => failed.push('connected'),
      (error: unknown) => failed.push(error),
    );
    const code = await within(new Promise((resolve) => socket.once('close', resolve)));
    return { failed, code };
  };

  it('with wrong credentials: an ERROR frame, then the lost connection', async () => {
    const { failed, code } = await failures(served.ws, 'wrong');
    expect(failed).toEqual([expect.objectContaining({ command: 'ERROR' }), expect.stringMatching(/^Whoops!/)]);
    expect([failed[0].headers.cause, code]).toEqual(['protocol_error', 1008]);
  });

  it('by a path that is no endpoint', async () => {
    const { failed, code } = await failures(served.ws.replace('/ws', '/nowhere'), right.passcode);
    expect([failed, code]).toEqual([[expect.stringMatching(/^Whoops!/)], 1006]);
  });
});

it('leaves by DISCONNECT, and its session with it', async () => {
  const { client, closed, session } = await connect();
  expect(await served.sessions()).toEqual([session]);
  await within(new Promise((resolve) => client.disconnect(resolve, { receipt: 'nobody waits' })));
  await within(closed);
  expect(client.connected).toBe(false);
  await until(async () => (await served.sessions()).length === 0);
});

it('cuts what it sends after 16 kB: 60 kB and more arrive whole', async () => {
  const { client, sent, heard, listen } = await connect();
  const [a, b] = ['가나다라\n'.repeat(12_000), 'b'.repeat(16 * 1024)];
  client.subscribe('/topic/cut', listen);
  sent.length = 0;
  client.send('/topic/cut', {}, a);
  expect(sent.map((part) => part.length)).toEqual([16_384, 16_384, 16_384, expect.any(Number)]);
  client.send('/topic/cut', {}, b);
  client.send('/topic/cut', {}, 'small');
  expect(sent).toHaveLength(7);
  client.maxWebSocketFrameSize = 10;
  client.send('/topic/cut', {}, 'in small cuts');
  expect(sent.length).toBeGreaterThan(10);
  await until(() => heard.length === 4);
  expect(heard.map(({ body }) => body)).toEqual([a, b, 'small', 'in small cuts']);
});

it('when it cuts through a character of two UTF-16 units, which breaks that, its frame is refused, not delivered', async () => {
  const { client, closed, sent, heard, listen } = await connect();
  client.subscribe('/topic/cut', listen);
  const head = `SEND\ndestination:/topic/cut\ncontent-length:${16_384}\n\n`;
  client.send('/topic/cut', {}, `${'x'.repeat(16_384 - head.length - 1)}😀`.padEnd(16_380, 'x'));
  expect(sent.at(-2)).toMatch(/[\ud800-\udbff]$/);
  expect((await within(closed)).code).toBe(1002);
  expect(heard).toEqual([]);
});

it('receipts go to onreceipt, numbers too; what it names neither id nor callback for goes to onreceive', async () => {
  const { client, heard, listen } = await connect();
  const receipts: string[] = [];
  client.onreceipt = ({ headers }: any) => receipts.push(headers['receipt-id']);
  client.onreceive = listen;
  client.subscribe('/queue/r', undefined, { receipt: 1234, ack: 'client' });
  client.send('/queue/r', { foo: 1, receipt: 'sent' }, JSON.stringify({ hello: 'world' }));
  await until(() => heard.length === 1);
  heard[0].nack({ receipt: 'refused' });
  await until(() => heard.length === 2);
  heard[1].ack({ receipt: 'taken' });
  await until(() => receipts.length === 4);
  expect(receipts).toEqual(['1234', 'sent', 'refused', 'taken']);
  expect([JSON.parse(heard[0].body), heard[0].headers.foo]).toEqual([{ hello: 'world' }, '1']);
});

it('a transaction by a name of its own', async () => {
  const { client, heard, listen } = await connect();
  client.subscribe('/topic/t', listen);
  client.begin('123');
  for (const body of ['1', '2', '3']) client.send('/topic/t', { transaction: '123' }, body);
  client.abort('123');
  client.begin('123');
  client.send('/topic/t', { transaction: '123' }, '4');
  client.commit('123');
  await until(() => heard.length > 0);
  expect(heard.map(({ body }) => body)).toEqual(['4']);
});

it('leaves the escapes of 1.1 to its caller: it hears them, others hear what they stand for', async () => {
  const { client, heard, listen } = await connect();
  const other = await connect7(served.ws, right);
  const theirs: (string | undefined)[] = [];
  await within(
    new Promise<void>((resolve) => {
      other.client.watchForReceipt('sub', () => resolve());
      other.client.subscribe('/topic/e', ({ headers }) => theirs.push(headers.at), { receipt: 'sub' });
    }),
  );
  client.subscribe('/topic/e', listen);
  for (const at of ['12\\c30', '12:30', 'a\\nb']) client.send('/topic/e', { at }, '');
  await until(() => heard.length === 3 && theirs.length === 3);
  expect(heard.map(({ headers }) => headers.at)).toEqual(['12\\c30', '12\\c30', 'a\\nb']);
  expect(theirs).toEqual(['12:30', '12:30', 'a\nb']);
});

it('goes on after bytes that are no text, which it reads as Latin-1', async () => {
  const { client, heard, listen } = await connect();
  const sender = await talk(served.ws, 'kim', { passcode: right.passcode });
  await within(
    new Promise<void>((resolve) => {
      client.onreceipt = () => resolve();
      client.subscribe('/topic/bytes', listen, { receipt: 'sub' });
    }),
  );
  const head = 'SEND\ndestination:/topic/bytes\ncontent-length:2\n\n';
  sender.send(Buffer.concat([Buffer.from(head), Buffer.of(0xff, 0xe4, 0)]));
  sender.say('SEND', { destination: '/topic/bytes' }, '한글');
  await until(() => heard.length === 2);
  expect(heard.map(({ body }) => body)).toEqual(['ÿä', '한글']);
});
