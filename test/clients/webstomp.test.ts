/** webstomp-client: its own ways. What all clients do is in every-client.test.ts. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import webstomp, { type Message, type Options } from 'webstomp-client';
import { WebSocket } from 'ws';
import { register } from '../helpers/clients.ts';
import { serveForFile } from '../helpers/serve-embedded.ts';
import { until, within } from '../helpers/wait.ts';

const USER = { userId: 'kim', userRole: 'AGENT' };
const served = serveForFile(['--node', 'webstomp', '--heart-beat', '200ms,200ms']);
afterEach(() => {
  vi.unstubAllGlobals();
});

/** Not connected yet; with what it sent as WebSocket messages. */
function create(options: Options = {}, url = served.ws) {
  vi.stubGlobal('WebSocket', WebSocket);
  const client = webstomp.client(url, { debug: false, heartbeat: false, ...options });
  const socket: WebSocket = client.ws;
  const sent: (string | Uint8Array)[] = [];
  const send = socket.send.bind(socket);
  socket.send = (data: string | Uint8Array) => {
    sent.push(data);
    send(data);
  };
  socket.on('error', () => {});
  register({ destroy: () => socket.terminate() });
  const heard: Message[] = [];
  return { client, socket, sent, heard, listen: (message: Message) => void heard.push(message) };
}
async function connect(options: Options = {}) {
  const created = create(options);
  const connected = await within(
    new Promise<any>((resolve, reject) => created.client.connect({ ...USER }, resolve, reject)),
  );
  return { ...created, connected: connected.headers as Record<string, string> };
}

const closeOf = (socket: WebSocket) => new Promise((resolve) => socket.once('close', resolve));

describe('comes in', () => {
  it.each([
    [undefined, 'v12.stomp', '1.2'],
    [['v11.stomp'], 'v11.stomp', '1.1'],
    [['v10.stomp', 'v11.stomp'], 'v11.stomp', '1.1'],
    [['v10.stomp'], 'v10.stomp', '1.0'],
  ])('with the protocols %j: asks for the version of the one that is echoed', async (protocols, protocol, version) => {
    const { socket, sent, connected } = await connect(protocols && { protocols });
    expect([socket.protocol, connected.version]).toEqual([protocol, version]);
    expect(sent[0]).toContain(`accept-version:${version}\n`);
  });

  it('over a socket that is open already, without a subprotocol', async () => {
    const socket = new WebSocket(served.ws);
    register({ destroy: () => socket.terminate() });
    await within(new Promise((resolve) => socket.once('open', resolve)));
    const client = webstomp.over(socket, { debug: false, heartbeat: false });
    const { headers } = await within(new Promise<any>((resolve) => client.connect({ ...USER }, resolve)));
    expect(headers.version).toBe('1.2');
  });

  it('with login, passcode, and a host', async () => {
    for (const host of [undefined, 'chat.example.com']) {
      const { client } = create();
      const connecting = new Promise<any>((resolve, reject) => client.connect('kim', 'x', resolve, reject, host));
      expect((await within(connecting)).headers['user-name']).toBe('kim');
    }
  });

  const heartBeats: [string, Options, string, number][] = [
    ['none', { heartbeat: false }, '0,0', 0],
    ['those it asks for unless told otherwise', { heartbeat: undefined as never }, '10000,10000', 0],
    ['its own', { heartbeat: { outgoing: 200, incoming: 2000 } }, '200,2000', 3],
  ];
  it.each(heartBeats)('with heart-beats: %s', async (_, options, header, beats) => {
    const { sent, socket } = await connect(options);
    expect(sent[0]).toContain(`heart-beat:${header}\n`);
    await until(() => sent.filter((data) => data === '\n').length >= beats);
    expect(socket.readyState).toBe(WebSocket.OPEN);
  });
});

describe('is thrown out: an ERROR frame, then the close with its code', () => {
  const failures = async (act: (client: webstomp.Client) => void, headers = { ...USER }) => {
    const { client, socket } = create();
    const failed: any[] = [];
    client.connect(
      headers,
      () => act(client),
      (error) => failed.push(error),
    );
    await within(closeOf(socket));
    await until(() => failed.length === 2);
    return failed;
  };

  it('without a user', async () => {
    const [error, close] = await failures(() => {}, {} as never);
    expect([error.command, error.headers.cause, close.code]).toEqual(['ERROR', 'protocol_error', 1008]);
  });

  it('by a frame that is wrong', async () => {
    const [error, close] = await failures((client) => client.ack('no-such', 'sub-0' as never));
    expect([error.command, error.headers.message, close.code]).toEqual([
      'ERROR',
      expect.stringMatching(/no-such/),
      1002,
    ]);
  });
});

it('leaves by DISCONNECT, and its session with it', async () => {
  const { client, socket, connected } = await connect();
  expect(await served.sessions()).toEqual([connected.session]);
  const closed = closeOf(socket);
  await within(new Promise<void>((resolve) => client.disconnect(resolve)));
  await within(closed);
  await until(async () => (await served.sessions()).length === 0);
});

it('its option binary: all goes out as bytes, cut after 16 kB, through characters too', async () => {
  const { client, sent, heard, listen } = await connect({ binary: true, heartbeat: { outgoing: 200, incoming: 0 } });
  const body = '한글 😀'.repeat(6000);
  client.subscribe('/topic/binary', listen);
  const before = sent.length;
  client.send('/topic/binary', body);
  expect(sent.slice(before, before + 3).map((data) => data.length)).toEqual([16_384, 16_384, 16_384]);
  await until(() => heard.length === 1);
  expect(heard[0]!.body === body).toBe(true);
  await until(() => sent.filter((data) => Buffer.from(data as Uint8Array).equals(Buffer.from('\n'))).length >= 2);
  expect(sent.filter((data) => typeof data === 'string')).toEqual([]);
});

it('receipts of UNSUBSCRIBE and of the rest go to onreceipt', async () => {
  const { client, heard, listen } = await connect();
  const receipts: (string | undefined)[] = [];
  client.onreceipt = ({ headers }) => receipts.push(headers['receipt-id']);
  const { id } = client.subscribe('/queue/r', listen, { receipt: 'sub', ack: 'client-individual' } as never);
  client.send('/queue/r', '', { receipt: 'sent' });
  await until(() => heard.length === 1);
  heard[0]!.nack({ receipt: 'refused' } as never);
  await until(() => heard.length === 2);
  heard[1]!.ack({ receipt: 'taken' } as never);
  client.unsubscribe(id, { receipt: 'unsub' } as never);
  await until(() => receipts.length === 5);
  expect(receipts).toEqual(['sub', 'sent', 'refused', 'taken', 'unsub']);
});

it('messages of a subscription that has no callback go to onreceive', async () => {
  const { client, heard, listen } = await connect();
  (client as any).onreceive = listen;
  client.subscribe('/topic/none');
  client.send('/topic/none', 'body');
  await until(() => heard.length === 1);
  expect(heard[0]!.body).toBe('body');
});
