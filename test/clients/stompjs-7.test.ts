/** stompjs 7: frames, headers, receipts and what nobody asked for; what all clients do is in every-client.test.ts. */
import { type IFrame, type IMessage, Versions } from '@stomp/stompjs';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { connect7 } from '../helpers/clients.ts';
import { serveForFile } from '../helpers/serve-embedded.ts';
import { talk } from '../helpers/talk.ts';
import { until, within } from '../helpers/wait.ts';

const USER = { userId: 'kim', userRole: 'AGENT' };
const served = serveForFile(['--node', 'stompjs-7', '--max-body', '100k']);

/** A client whose WebSocket messages are kept as they go out. */
async function connect(options = {}) {
  const sent: (string | Uint8Array | ArrayBuffer)[] = [];
  const webSocketFactory = () => {
    const socket = new WebSocket(served.ws, ['v12.stomp']);
    const send = socket.send.bind(socket);
    socket.send = (data: string | Uint8Array) => {
      sent.push(data);
      send(data);
    };
    return socket;
  };
  const connected = await connect7(served.ws, USER, { webSocketFactory, ...options });
  const heard: IMessage[] = [];
  return Object.assign(connected, { sent, heard, listen: (message: IMessage) => void heard.push(message) });
}
const textOf = (data: string | Uint8Array | ArrayBuffer) =>
  typeof data === 'string' ? data : Buffer.from(data as any).toString();

describe('headers', () => {
  // Without a backslash before n, r or c: stompjs takes those for an escape when it reads.
  const SPECIAL = 'f:o:o\nbar\rbaz\\foo\nbar\rbaz\\';

  it('1.2: colon, backslash and line ends, in both directions', async () => {
    const { client, heard, listen } = await connect();
    client.subscribe('/topic/h', listen);
    client.publish({ destination: '/topic/h', headers: { cust: SPECIAL, url: 'http://a:1/b\\' } });
    await until(() => heard.length === 1);
    expect(heard[0]!.headers).toMatchObject({ cust: SPECIAL, url: 'http://a:1/b\\' });
  });

  it('1.1, where stompjs leaves escapes to its caller: they are undone and done for each receiver', async () => {
    const { client, heard, listen } = await connect({ stompVersions: new Versions(['1.1']) });
    const other = await connect();
    const both = ['one', 'other'].map((receipt) => ({ receipt, ack: 'auto' }));
    const subscribed = [client, other.client].map(
      (one, i) => new Promise<void>((resolve) => one.watchForReceipt(both[i]!.receipt, () => resolve())),
    );
    client.subscribe('/topic/h', listen, both[0]);
    other.client.subscribe('/topic/h', other.listen, both[1]);
    await within(Promise.all(subscribed));
    client.publish({ destination: '/topic/h', headers: { cust: 'a\\cb\\nc\\\\' } });
    await until(() => heard.length === 1 && other.heard.length === 1);
    expect(heard[0]!.headers.cust).toBe('a\\cb\\nc\\\\');
    expect(other.heard[0]!.headers.cust).toBe('a:b\nc\\');
  });

  it('1.0, which has no escapes: what they would stand for is left out, the message comes', async () => {
    const { client, heard, listen } = await connect({ stompVersions: new Versions(['1.0']) });
    const other = await connect();
    const subscribed = new Promise<void>((resolve) => client.watchForReceipt('sub', () => resolve()));
    client.subscribe('/topic/h', listen, { receipt: 'sub' });
    await within(subscribed);
    other.client.publish({ destination: '/topic/h', headers: { cust: SPECIAL, url: 'http://a:1/b\\' }, body: 'x' });
    await until(() => heard.length === 1);
    expect(heard[0]!.headers).toMatchObject({ url: 'http://a:1/b\\' });
    expect([heard[0]!.headers.cust, heard[0]!.body]).toEqual([undefined, 'x']);
  });

  it('subscription ids, receipts and transactions of any characters', async () => {
    const { client, heard, listen } = await connect();
    const name = 'a:b\\ 한글 😀\n';
    const received = new Promise<IFrame>((resolve) => client.watchForReceipt(name, resolve));
    client.subscribe('/queue/names', listen, { id: name, ack: 'client' });
    client.begin(name);
    client.publish({ destination: '/queue/names', headers: { transaction: name } });
    client.publish({ destination: '/topic/h', headers: { receipt: name } });
    client.commit(name);
    await within(received);
    await until(() => heard.length === 1);
    expect(heard[0]!.headers.subscription).toBe(name);
    heard[0]!.ack({ receipt: 'acked' });
    await within(new Promise((resolve) => client.watchForReceipt('acked', resolve)));
    client.unsubscribe(name, { receipt: 'left' });
    await within(new Promise((resolve) => client.watchForReceipt('left', resolve)));
  });
});

describe('bodies', () => {
  it('what is sent as bytes comes as bytes, text as text, to whoever listens', async () => {
    const { client, heard, listen } = await connect();
    const raw = await talk(served.ws, 'lee');
    await raw.sure('SUBSCRIBE', { id: '1', destination: '/topic/b' });
    client.subscribe('/topic/b', listen);
    const octets = { 'content-type': 'application/octet-stream' };
    client.publish({ destination: '/topic/b', binaryBody: Uint8Array.of(0xff, 0, 0xfe), headers: octets });
    client.publish({ destination: '/topic/b', body: '한글' });
    client.publish({ destination: '/topic/b', binaryBody: new TextEncoder().encode('한글') });
    await until(() => heard.length === 3);
    expect(heard.map(({ binaryBody }) => Buffer.from(binaryBody).toString('hex'))).toEqual([
      'ff00fe',
      'ed959ceab880',
      'ed959ceab880',
    ]);
    expect(heard.slice(1).map(({ body, isBinaryBody }) => [body, isBinaryBody])).toEqual([
      ['한글', true],
      ['한글', true],
    ]);
    expect(heard[0]!.headers).toMatchObject({ ...octets, 'content-length': '3' });
    // A text message of WebSocket where it can be one: older clients read others as Latin-1.
    await raw.wait('MESSAGE', 3);
    expect(raw.frames('MESSAGE').map(({ binary }) => binary)).toEqual([true, false, false]);
  });

  it('bytes have their length in any case, text does unless told otherwise', async () => {
    const { client, sent, heard, listen } = await connect();
    client.subscribe('/topic/l', listen);
    sent.length = 0;
    client.publish({ destination: '/topic/l', body: 'text', skipContentLengthHeader: true });
    client.publish({ destination: '/topic/l', binaryBody: Uint8Array.of(0), skipContentLengthHeader: true });
    expect(sent.map((data) => /content-length:(\d+)/.exec(textOf(data))?.[1])).toEqual([undefined, '1']);
    await until(() => heard.length === 2);
    expect(heard.map(({ body }) => body)).toEqual(['text', '\0']);
    expect(heard.map(({ headers }) => headers['content-length'])).toEqual(['4', '1']);
  });

  it('large text is split into messages of the size that is set, bytes are not', async () => {
    const { client, sent, heard, listen } = await connect({ splitLargeFrames: true });
    client.subscribe('/topic/s', listen);
    const text = 'x'.repeat(60_000);
    sent.length = 0;
    client.publish({ destination: '/topic/s', body: text });
    expect(sent.length).toBe(8);
    expect((sent[0] as string).length).toBe(client.maxWebSocketChunkSize);
    client.publish({ destination: '/topic/s', binaryBody: new Uint8Array(60_000).fill(0xff) });
    expect(sent.length).toBe(9);
    await until(() => heard.length === 2);
    expect(heard[0]!.body === text).toBe(true);
    expect(Buffer.from(heard[1]!.binaryBody).equals(Buffer.alloc(60_000, 0xff))).toBe(true);
  });

  it('forced into binary messages: nothing goes out as text', async () => {
    const { client, sent, heard, listen, disconnect } = await connect({ forceBinaryWSFrames: true });
    client.subscribe('/topic/f', listen);
    client.publish({ destination: '/topic/f', body: '한글' });
    await until(() => heard.length === 1);
    expect(heard[0]!.body).toBe('한글');
    await disconnect();
    expect(sent.length).toBe(4);
    expect(sent.filter((data) => typeof data === 'string')).toEqual([]);
  });

  it('one that is larger than the limit: ERROR, and 1009', async () => {
    const told = await connect();
    told.client.publish({ destination: '/topic/f', body: 'x'.repeat(100 * 1024 + 1), headers: { receipt: 'r' } });
    expect((await within(told.closed)).code).toBe(1009);
    expect(told.error?.headers).toMatchObject({ cause: 'protocol_error', message: expect.stringMatching(/102400/) });
  });
});

describe('receipts', () => {
  it('come for SUBSCRIBE, SEND, NACK, ACK, UNSUBSCRIBE and within a transaction, in the order of the frames', async () => {
    const { client, heard, listen } = await connect();
    const came: string[] = [];
    const asked = ['sub', 'send', 'nack', 'in', 'ack', 'unsub'];
    for (const id of asked) client.watchForReceipt(id, ({ headers }) => came.push(headers['receipt-id']!));
    const subscription = client.subscribe('/queue/r', listen, { receipt: 'sub', ack: 'client-individual' });
    client.publish({ destination: '/queue/r', headers: { receipt: 'send' } });
    await until(() => heard.length === 1);
    heard[0]!.nack({ receipt: 'nack' });
    await until(() => heard.length === 2);
    const { id, commit } = client.begin();
    client.publish({ destination: '/topic/r', headers: { receipt: 'in', transaction: id } });
    heard[1]!.ack({ receipt: 'ack', transaction: id });
    commit();
    subscription.unsubscribe({ receipt: 'unsub' });
    await until(() => came.length === asked.length);
    expect(came).toEqual(asked);
  });

  it('a subscription that is confirmed hears what others send from then on', async () => {
    const [{ client, heard, listen }, other] = [await connect(), await connect()];
    client.watchForReceipt('sub', () => other.client.publish({ destination: '/topic/c', body: 'Is anybody there?' }));
    client.subscribe('/topic/c', listen, { receipt: 'sub' });
    await until(() => heard.length === 1);
    expect(heard[0]!.body).toBe('Is anybody there?');
  });

  it('that nobody waits for, and messages of a subscription that is gone, go to their own callbacks', async () => {
    const { client, heard, listen } = await connect();
    const unhandled: IFrame[] = [];
    client.onUnhandledMessage = (message) => unhandled.push(message);
    client.onUnhandledReceipt = (frame) => unhandled.push(frame);
    client.onUnhandledFrame = (frame) => unhandled.push(frame);
    const { id, unsubscribe } = client.subscribe('/topic/u', listen);
    client.publish({ destination: '/topic/u', body: 'late', headers: { receipt: 'nobody waits' } });
    unsubscribe(); // behind the SEND
    await until(() => unhandled.length === 2);
    expect(unhandled.map(({ command }) => command)).toEqual(['MESSAGE', 'RECEIPT']);
    expect(unhandled[0]!.headers.subscription).toBe(id);
    expect(heard).toEqual([]);
  });
});

describe('is thrown out, with ERROR and the receipt of the frame that was wrong', () => {
  const wrong: [string, (client: Awaited<ReturnType<typeof connect>>['client']) => void, RegExp, number][] = [
    ['a destination of nobody', (c) => c.subscribe('/elsewhere', () => {}, { receipt: 'r' }), /\/elsewhere/, 1008],
    [
      'a role that it lacks',
      (c) => c.publish({ destination: '/user/lee/queue/x', headers: { receipt: 'r' } }),
      /may not|role/,
      1008,
    ],
    ['the queue of another', (c) => c.subscribe('/user/lee/queue/x', () => {}, { receipt: 'r' }), /\/user/, 1008],
    ['ACK of what is not there', (c) => c.ack('no-such', 'sub-0', { receipt: 'r' }), /no-such/, 1002],
    [
      'COMMIT of what was not begun',
      (c) => c.publish({ destination: '/topic/a', headers: { transaction: 'no-such', receipt: 'r' } }),
      /no-such/,
      1002,
    ],
    ['UNSUBSCRIBE of what was not subscribed', (c) => c.unsubscribe('no-such', { receipt: 'r' }), /no-such/, 1002],
    [
      'an ack mode that is none',
      (c) => c.subscribe('/topic/a', () => {}, { ack: 'never', receipt: 'r' }),
      /never/,
      1002,
    ],
  ];
  it.each(wrong)('%s', async (_, act, message, code) => {
    const told = await connect();
    act(told.client);
    expect((await within(told.closed)).code).toBe(code);
    expect(told.error?.headers).toMatchObject({
      cause: 'protocol_error',
      'receipt-id': 'r',
      message: expect.stringMatching(message),
    });
  });
});
