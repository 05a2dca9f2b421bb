/** Every frame after CONNECT: what is delivered and how, receipts, errors, heart-beats, limits. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { connect2, connect7, dropClients, frame } from '../helpers/clients.ts';
import { ask } from '../helpers/http.ts';
import { nothingLeft } from '../helpers/keys.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { open, type Talk, talk } from '../helpers/talk.ts';
import { sleep, until, within } from '../helpers/wait.ts';

const HEART_BEAT = 200;
const MAX_BODY = 16 * 1024;
const MAX_HEADER = 256;
const MAX_HEADERS = 10;

describeWithRedis('frames', () => {
  let redis: TestRedis;
  let serve: Serve;
  /** With small limits. */
  let tight: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    [serve, tight] = await Promise.all([
      startServe(redis.url, ['--node', 'frames-a', '--heart-beat', `${HEART_BEAT}ms,${HEART_BEAT}ms`]),
      startServe(redis.url, [
        ...['--node', 'frames-b', '--max-body', String(MAX_BODY), '--max-header', String(MAX_HEADER)],
        ...['--max-headers', String(MAX_HEADERS), '--max-subscriptions', '3', '--max-buffer', '64k'],
      ]),
    ]);
  });
  afterEach(async () => {
    dropClients();
    await nothingLeft(redis);
  });
  afterAll(async () => {
    await Promise.all([serve?.stop(), tight?.stop()]);
    await redis?.stop();
  });

  const client = (user = 'cust01', headers: Record<string, string> = {}) => talk(serve.ws, user, headers);
  const ofVersion = (version: string) => client(`v${version}`, { 'accept-version': version });
  const subscriber = async (destination: string, id = 'sub-0') => {
    const one = await client();
    await one.sure('SUBSCRIBE', { id, destination });
    return one;
  };
  const bodies = (one: Talk) => one.frames('MESSAGE').map(({ body }) => body.toString());

  /** ERROR is the last frame that came, and the only one; it says why; then the close. */
  const expectError = async (one: Talk, message: RegExp, code: number, cause = 'protocol_error') => {
    expect((await one.closed).code).toBe(code);
    const error = one.frames().at(-1)!;
    expect([one.frames('ERROR').length, error.command]).toEqual([1, 'ERROR']);
    expect(error.header('message')).toMatch(message);
    expect(error.header('cause')).toBe(cause);
    return error;
  };

  it('1.2 "SEND", "SUBSCRIBE", "MESSAGE": a message comes with destination, message-id, subscription and its body', async () => {
    const one = await subscriber('/topic/a', 'my:sub');
    const other = await client('cust02');
    other.say('SEND', { destination: '/topic/a', 'content-type': 'text/plain', 'x-app': 'yes' }, 'hello');
    const { headers, body } = await one.wait('MESSAGE');
    expect(Object.fromEntries(headers)).toEqual({
      destination: '/topic/a',
      'message-id': expect.stringMatching(/./),
      subscription: 'my\\csub',
      'content-type': 'text/plain',
      'x-app': 'yes',
      'content-length': '5',
    });
    expect(body.toString()).toBe('hello');
    await other.sure('SEND', { destination: '/topic/b' }, 'for nobody');
    await other.sure('SEND', { destination: '/topic/a' }, 'again');
    await one.wait('MESSAGE', 2);
    expect(bodies(one)).toEqual(['hello', 'again']);
    const ids = one.frames('MESSAGE').map((got) => got.header('message-id'));
    expect(new Set(ids).size).toBe(2);
    expect(other.frames('MESSAGE')).toEqual([]);
  });

  it('1.2 "RECEIPT": SEND, SUBSCRIBE and UNSUBSCRIBE are answered when they ask, with their own receipt-id', async () => {
    const one = await client();
    one.say('SUBSCRIBE', { id: '1', destination: '/topic/a', receipt: 'r:1' });
    one.say('SEND', { destination: '/topic/a', receipt: 'r-2' }, 'hello');
    one.say('UNSUBSCRIBE', { id: '1', receipt: 'r-3' });
    one.say('SEND', { destination: '/topic/a' }, 'unheard');
    one.say('SEND', { destination: '/topic/a', receipt: 'r-4' }, 'unheard');
    await one.wait('RECEIPT', 4);
    const told = one.frames().slice(1);
    expect(told.map(({ command, header }) => header('receipt-id') ?? command)).toEqual([
      'r\\c1',
      'MESSAGE',
      'r-2',
      'r-3',
      'r-4',
    ]);
    expect(told.find(({ command }) => command === 'MESSAGE')!.header('receipt')).toBeUndefined();
  });

  it('1.2 "UNSUBSCRIBE": only the subscription of this id, of this connection, ends', async () => {
    const one = await subscriber('/topic/a', '1');
    await one.sure('SUBSCRIBE', { id: '2', destination: '/topic/a' });
    const other = await subscriber('/topic/a', '1');
    await one.sure('UNSUBSCRIBE', { id: '1' });
    await other.sure('SEND', { destination: '/topic/a' }, 'hello');
    await Promise.all([one.wait('MESSAGE'), other.wait('MESSAGE')]);
    expect(one.frames('MESSAGE').map(({ header }) => header('subscription'))).toEqual(['2']);
    expect(other.frames('MESSAGE').map(({ header }) => header('subscription'))).toEqual(['1']);
  });

  it('1.2 "Connection Lingering": the RECEIPT of DISCONNECT comes after the keys are gone, then close 1000', async () => {
    const one = await client('cust01', { userRole: 'X' });
    redis.pause();
    one.send(frame('DISCONNECT', { receipt: 'bye' }) + frame('SEND', { destination: '/topic/a', receipt: 'no' }));
    await ask(serve.port, '/healthz');
    await sleep(200);
    expect(one.frames('RECEIPT')).toEqual([]);
    const keys = new Promise((resolve) =>
      one.socket.once('message', () => resolve([redis.cli('KEYS', 'ws:session*'), redis.cli('KEYS', 'ws:user*')])),
    );
    redis.resume();
    expect(await keys).toEqual(['', '']);
    expect(await one.closed).toMatchObject({ code: 1000 });
    expect(one.frames('RECEIPT').map(({ header }) => header('receipt-id'))).toEqual(['bye']);
  });

  it('1.2 "DISCONNECT" without a receipt closes with 1000', async () => {
    const one = await client();
    one.say('DISCONNECT');
    expect((await one.closed).code).toBe(1000);
    expect(one.frames().slice(1)).toEqual([]);
  });

  it('1.2 "ERROR": it is terminal: nothing later in the buffer is acted on, nothing comes after it', async () => {
    const neighbour = await subscriber('/topic/n');
    const bad = await client('bad');
    bad.send(
      frame('SUBSCRIBE', { id: '1', destination: '/topic/n' }) +
        frame('SEND', { destination: '/nowhere', receipt: 'r-1' }) +
        frame('SEND', { destination: '/topic/n', receipt: 'r-2' }, 'from the dead'),
    );
    const error = await expectError(bad, /destination/, 1008);
    expect(error.header('receipt-id')).toBe('r-1');
    expect(bad.frames('RECEIPT')).toEqual([]);
    await neighbour.sure('SEND', { destination: '/topic/n' }, 'from the living');
    await neighbour.wait('MESSAGE');
    expect(bodies(neighbour)).toEqual(['from the living']);
  });

  it('1.2 "ERROR": a frame at fault that asked for a receipt has its receipt-id in ERROR', async () => {
    for (const text of ['SEND\nreceipt:r:1\n\nx\0', 'SEND\nreceipt:r\\c1\ndestination\n\n\0']) {
      const one = await client();
      one.send(text);
      const error = await expectError(one, /./, 1002);
      expect(error.header('receipt-id')).toBe('r\\c1');
      expect(error.header('content-type')).toBe('text/plain');
    }
  });

  it('a message goes to each subscription, under its own id', async () => {
    const one = await subscriber('/topic/a', 'one');
    const two = await subscriber('/topic/a', 'two');
    await two.sure('SUBSCRIBE', { id: 'three', destination: '/topic/a' });
    const elsewhere = await subscriber('/topic/A', 'one');
    await one.sure('SEND', { destination: '/topic/a' }, 'hello');
    await Promise.all([one.wait('MESSAGE'), two.wait('MESSAGE', 2)]);
    const ids = (seen: Talk) => seen.frames('MESSAGE').map(({ header }) => header('subscription'));
    expect([ids(one), ids(two).sort()]).toEqual([['one'], ['three', 'two']]);
    await elsewhere.sure('SEND', { destination: '/topic/A' }, 'here');
    expect(bodies(elsewhere)).toEqual(['here']);
  });

  it('1.2 "Value Encoding": each receiver gets a message in its own version; a newline is no header line of a 1.0 client', async () => {
    const receivers = await Promise.all(['1.0', '1.1', '1.2'].map(ofVersion));
    for (const one of receivers) await one.sure('SUBSCRIBE', { id: 's', destination: '/topic/a' });
    const sender = await ofVersion('1.2');
    sender.send(
      'SEND\ndestination:/topic/a\nevil:x\\nforged:1\nna\\cme:v\nback:a\\\\b\ncr:a\\rb\ntwice:1\ntwice:2\nplain: p \n\nbody\0',
    );
    const [ten, eleven, twelve] = await Promise.all(receivers.map((one) => one.wait('MESSAGE')));
    for (const got of [ten, eleven, twelve]) {
      expect(got!.body.toString()).toBe('body');
      expect(got!.header('forged')).toBeUndefined();
      expect(got!.header('twice')).toBe('1');
      expect(got!.header('plain')).toBe(' p ');
    }
    expect(ten!.headers.filter(([name]) => ['evil', 'na', 'na\\cme'].includes(name))).toEqual([]);
    expect(ten!.header('back')).toBe('a\\b');
    expect(eleven!.header('evil')).toBe('x\\nforged\\c1');
    expect(eleven!.header('na\\cme')).toBe('v');
    expect(twelve!.header('evil')).toBe('x\\nforged\\c1');
    expect(twelve!.header('back')).toBe('a\\\\b');
    expect(twelve!.header('cr')).toBe('a\\rb');
  });

  it('1.0: what looks like an escape is text, and a 1.2 receiver gets it escaped', async () => {
    const receiver = await subscriber('/topic/a');
    const sender = await ofVersion('1.0');
    sender.send('SEND\ndestination: /topic/a\npath:C:\\new\n\nhello\0');
    expect((await receiver.wait('MESSAGE')).header('path')).toBe('C\\c\\\\new');
  });

  it('1.0: a subscription without an id gets messages without one, and ends by its destination', async () => {
    const old = await ofVersion('1.0');
    await old.sure('SUBSCRIBE', { destination: '/topic/a', ack: ' auto' });
    await old.sure('SEND', { destination: '/topic/a' }, 'one');
    expect((await old.wait('MESSAGE')).header('subscription')).toBeUndefined();
    await old.sure('UNSUBSCRIBE', { destination: '/topic/a' });
    await old.sure('SEND', { destination: '/topic/a' }, 'two');
    expect(bodies(old)).toEqual(['one']);
  });

  it('1.0: an empty id is an id, and is not given to those who have none', async () => {
    const [empty, none] = [await ofVersion('1.0'), await ofVersion('1.0')];
    await empty.sure('SUBSCRIBE', { destination: '/topic/a', id: '' });
    await none.sure('SUBSCRIBE', { destination: '/topic/a' });
    await none.sure('SEND', { destination: '/topic/a' }, 'one');
    expect((await none.wait('MESSAGE')).header('subscription')).toBeUndefined();
    expect((await empty.wait('MESSAGE')).header('subscription')).toBe('');
  });

  it.each(['1.1', '1.2'])('%s "Value Encoding": an undefined escape is fatal', async (version) => {
    for (const bad of ['\\t', '\\', ...(version === '1.1' ? ['\\r'] : [])]) {
      const one = await ofVersion(version);
      one.send(`SEND\ndestination:/topic/a\nx:a${bad}\n\n\0`);
      await expectError(one, /escape/i, 1002);
    }
  });

  it('subscription, message-id, ack and content-length of a MESSAGE are the server’s, never the sender’s', async () => {
    const one = await subscriber('/topic/a', 'mine');
    const sender = await client('evil');
    sender.send(
      'SEND\ndestination:/topic/a\nsubscription:forged\nmessage-id:forged\nack:forged\nreceipt:r\n' +
        '__proto__:p\nconstructor:c\ncontent-length:2\ncontent-length:999\n\nhi\0',
    );
    const { headers, body } = await one.wait('MESSAGE');
    const values = (name: string) => headers.filter((line) => line[0] === name).map((line) => line[1]);
    expect(values('subscription')).toEqual(['mine']);
    expect(values('message-id')).toHaveLength(1);
    expect(values('message-id')).not.toContain('forged');
    expect([values('ack'), values('receipt')]).toEqual([[], []]);
    expect(values('content-length')).toEqual(['2']);
    expect([values('__proto__'), values('constructor')]).toEqual([['p'], ['c']]);
    expect(body.toString()).toBe('hi');
  });

  it('1.2 "content-length": it counts octets', async () => {
    const one = await subscriber('/topic/a');
    const body = '한글 😀 é';
    await one.sure('SEND', { destination: '/topic/a' }, body);
    await one.sure('SEND', { destination: '/topic/a', 'content-length': Buffer.byteLength(body) }, body);
    await one.wait('MESSAGE', 2);
    for (const got of one.frames('MESSAGE')) {
      expect(got.header('content-length')).toBe(String(Buffer.byteLength(body)));
      expect(got.body.toString()).toBe(body);
    }
  });

  it.each(['3', '5', 'x', '-1', '1e1', ' 4'])(
    '1.2 "content-length": %j for a body of four is fatal',
    async (length) => {
      const one = await client();
      one.send(
        `SEND\ndestination:/topic/a\ncontent-length:${length}\n\nbody\0${frame('SEND', { destination: '/topic/a' })}`,
      );
      await expectError(one, /./, 1002);
    },
  );

  it('a body that is valid UTF-8 goes out as text, NUL and all; any other as binary', async () => {
    const one = await subscriber('/topic/a');
    const sender = await client('cust02');
    const payloads = [
      Buffer.from('한글'),
      Buffer.from('a\0b'),
      Buffer.from([0xff, 0, 0xfe]),
      Buffer.from([0xed, 0x95]),
    ];
    for (const body of payloads) {
      const head = Buffer.from(`SEND\ndestination:/topic/a\ncontent-length:${body.length}\n\n`);
      sender.send(Buffer.concat([head, body, Buffer.from([0])]));
    }
    await one.wait('MESSAGE', 4);
    expect(one.frames('MESSAGE').map(({ body }) => body.toString('hex'))).toEqual(
      payloads.map((body) => body.toString('hex')),
    );
    expect(one.frames('MESSAGE').map(({ binary }) => binary)).toEqual([false, false, true, true]);
  });

  it('several frames come in one WebSocket message', async () => {
    const one = await client();
    one.send(
      `\n${frame('SUBSCRIBE', { id: '1', destination: '/topic/a' })}\n\r\n${frame('SEND', { destination: '/topic/a' }, 'one')}` +
        `${frame('SEND', { destination: '/topic/a' }, 'two')}\n`,
    );
    await one.wait('MESSAGE', 2);
    expect(bodies(one)).toEqual(['one', 'two']);
  });

  it('one frame comes in several WebSocket messages, cut inside a character, an escape and CRLF', async () => {
    const one = await subscriber('/topic/a');
    const sender = await client('cust02');
    const bytes = Buffer.from('SEND\r\ndestination:/topic/a\r\nx:a\\\\b\\c한\r\ncontent-length:10\r\n\r\n한글😀\0\n');
    for (const byte of bytes) sender.send(Buffer.from([byte]));
    const got = await one.wait('MESSAGE');
    expect(got.body.toString()).toBe('한글😀');
    expect(got.header('x')).toBe('a\\\\b\\c한');
    await sender.sure('SEND', { destination: '/topic/a' }, 'next');
    expect((await one.wait('MESSAGE', 2)).body.toString()).toBe('next');
  });

  it('60 kB bodies come through stompjs 7 in one piece, split by it, and through stompjs 2.3.3 in its pieces of 16 kB', async () => {
    const body = '한글x'.repeat(9000); // no surrogate pairs: both clients would cut inside one
    const whole = await connect7(serve.ws, { userId: 'seven' });
    const split = await connect7(
      serve.ws,
      { userId: 'split' },
      { splitLargeFrames: true, maxWebSocketChunkSize: 8192 },
    );
    const old = await connect2(serve.ws, { userId: 'two' });
    const heard: Record<string, string[]> = { whole: [], split: [], old: [] };
    const subscribed = [whole, split].map(
      ({ client: seven }) => new Promise<void>((resolve) => seven.watchForReceipt('in', () => resolve())),
    );
    subscribed.push(new Promise<void>((resolve) => (old.client.onreceipt = () => resolve())));
    const receipt = { receipt: 'in' };
    whole.client.subscribe('/topic/big', (message) => heard.whole!.push(message.body), receipt);
    split.client.subscribe('/topic/big', (message) => heard.split!.push(message.body), receipt);
    old.client.subscribe('/topic/big', (message: { body: string }) => heard.old!.push(message.body), receipt);
    await within(Promise.all(subscribed));
    whole.client.publish({ destination: '/topic/big', body: `7${body}` });
    split.client.publish({ destination: '/topic/big', body: `s${body}` });
    old.client.send('/topic/big', {}, `2${body}`);
    await until(() => Object.values(heard).every((all) => all.length === 3), 10_000, 'all bodies to arrive');
    for (const all of Object.values(heard)) expect(all.sort()).toEqual([`2${body}`, `7${body}`, `s${body}`]);
  });

  it('1.2 "Heart-beating": the server sends newlines at the slower of what both said', async () => {
    const slow = await client('slow', { 'heart-beat': `0,${3 * HEART_BEAT}` });
    const fast = await client('fast', { 'heart-beat': '0,50' });
    const off = await client('off', { 'heart-beat': '0,0' });
    await until(() => fast.beats() >= 9 && slow.beats() >= 2, 5 * 9 * HEART_BEAT, 'heart-beats');
    expect(slow.beats()).toBeLessThan(fast.beats());
    expect(off.beats()).toBe(0);
    expect(fast.received().replace(/^CONNECTED[^\0]*\0/, '')).toMatch(/^\n+$/);
  });

  it('1.2 "Heart-beating": the server says what it can and wants, whatever the client said', async () => {
    const one = await client('cust01', { 'heart-beat': '0,0' });
    expect(one.frames()[0]!.header('heart-beat')).toBe(`${HEART_BEAT},${HEART_BEAT}`);
  });

  it('1.2 "Heart-beating": a silent client is cut, WebSocket pongs and pings do not count', async () => {
    const silent = await client('silent', { 'heart-beat': '100,0' });
    const ponging = await client('ponging', { 'heart-beat': '100,0' });
    const free = await client('free', { 'heart-beat': '0,0' });
    const pongs = setInterval(() => {
      ponging.socket.pong();
      ponging.socket.ping();
    }, 50);
    try {
      // Due after the agreed 200 ms and a margin of a second.
      for (const one of [silent, ponging]) {
        const { command } = await one.wait('ERROR', 1, 10_000);
        expect(command).toBe('ERROR');
        await expectError(one, /^no heart-beat for \d+ ms$/, 1002, 'heartbeat');
      }
    } finally {
      clearInterval(pongs);
    }
    await until(async () => (await redis.keys()).filter((key) => key.startsWith('ws:session:')).length === 1);
    await free.sure('SEND', { destination: '/topic/alive' });
  });

  it('1.2 "Heart-beating": a client that sends only newlines lives', async () => {
    const beating = await client('beating', { 'heart-beat': '100,0' });
    const silent = await client('silent', { 'heart-beat': '100,0' });
    const beats = setInterval(() => beating.send('\n'), 50);
    try {
      await within(silent.closed);
      await sleep(1500); // longer than the other one lived
      await beating.sure('SEND', { destination: '/topic/alive' });
    } finally {
      clearInterval(beats);
    }
  });

  it.each(['2147483647', '2147483648', '4294967296', '99999999999999999999'])(
    '1.2 "Heart-beating": an interval of %s ms does not fire at once',
    async (interval) => {
      const one = await client('cust01', { 'heart-beat': `${interval},${interval}` });
      const clock = await client('clock', { 'heart-beat': '0,1' });
      await until(() => clock.beats() >= 8, 5 * 8 * HEART_BEAT, 'the clock to beat'); // longer than the margin
      expect(one.beats()).toBe(0);
      await one.sure('SEND', { destination: '/topic/alive' });
    },
  );

  it.each([
    ...['/app/hello', '/ws'].flatMap((destination): [string, Record<string, string>][] => [
      ['SEND', { destination }],
      ['SUBSCRIBE', { id: '1', destination }],
    ]),
  ] as [string, Record<string, string>][])('%s %j is not there yet, and says so in ERROR', async (command, headers) => {
    const one = await client();
    one.say(command, { ...headers, receipt: 'r' });
    const error = await expectError(one, /not supported/, 1008);
    expect(error.header('receipt-id')).toBe('r');
    expect(one.frames('RECEIPT')).toEqual([]);
  });

  it.each([
    'topic/a',
    '/topic',
    '/topics/a',
    '/TOPIC/a',
    '/queue',
    '/queue/',
    '/user/queue/',
    '/all/x',
    '/',
    '__proto__',
  ])('the destination %s is none: ERROR', async (destination) => {
    for (const command of ['SEND', 'SUBSCRIBE']) {
      const one = await client();
      one.say(command, { id: '1', destination });
      await expectError(one, /destination/, 1008);
    }
  });

  it.each([
    ['SEND', {}],
    ['SEND', { destination: '' }],
    ['SUBSCRIBE', { id: '1' }],
    ['SUBSCRIBE', { destination: '/topic/a' }],
    ['UNSUBSCRIBE', {}],
    ['UNSUBSCRIBE', { destination: '/topic/a' }],
    ['UNSUBSCRIBE', { id: 'never' }],
    ['SUBSCRIBE', { id: '1', destination: '/topic/a', ack: 'sometimes' }],
    ['MESSAGE', {}],
    ['NOSUCH', {}],
  ] as [string, Record<string, string>][])('1.2: %s with %j is an ERROR and close 1002', async (command, headers) => {
    const one = await client();
    one.say(command, headers);
    await expectError(one, /./, 1002);
  });

  it('1.2 "SUBSCRIBE": an id that is in use is an ERROR; it is the connection’s own, and free after UNSUBSCRIBE', async () => {
    const one = await subscriber('/topic/a', '1');
    const other = await subscriber('/topic/a', '1');
    await other.sure('UNSUBSCRIBE', { id: '1' });
    await other.sure('SUBSCRIBE', { id: '1', destination: '/topic/b' });
    one.say('SUBSCRIBE', { id: '1', destination: '/topic/b' });
    await expectError(one, /exists/, 1002);
    await other.sure('SEND', { destination: '/topic/b' });
    expect(other.frames('MESSAGE')).toHaveLength(1);
  });

  it('--max-subscriptions: one more is an ERROR, and closed ones do not count', async () => {
    const one = await talk(tight.ws, 'cust01');
    for (let i = 0; i < 6; i++) {
      await one.sure('SUBSCRIBE', { id: `x${i}`, destination: '/topic/a' });
      await one.sure('UNSUBSCRIBE', { id: `x${i}` });
    }
    for (let i = 0; i < 3; i++) await one.sure('SUBSCRIBE', { id: `${i}`, destination: '/topic/a' });
    one.say('SUBSCRIBE', { id: '3', destination: '/topic/a' });
    await expectError(one, /3 subscriptions/, 1008);
  });

  it('--max-headers: as many pass, one more is refused with 1009', async () => {
    const send = (count: number) => `SEND\ndestination:/topic/a\nreceipt:r\n${'x:1\n'.repeat(count - 2)}\n\0`;
    const one = await talk(tight.ws, 'cust01');
    one.send(send(MAX_HEADERS));
    await one.wait('RECEIPT');
    one.send(send(MAX_HEADERS + 1));
    await expectError(one, /headers/, 1009);
  });

  it('--max-header: a line as long passes, one octet more is refused with 1009, before the line ends', async () => {
    const line = (length: number) => `x:${'a'.repeat(length - 2)}`;
    const one = await talk(tight.ws, 'cust01');
    one.send(`SEND\ndestination:/topic/a\nreceipt:r\n${line(MAX_HEADER)}\n\n\0`);
    await one.wait('RECEIPT');
    one.send(`SEND\ndestination:/topic/a\n${line(MAX_HEADER)}`);
    one.send('a');
    await expectError(one, /header line/, 1009);
  });

  it('--max-header holds in CONNECT', async () => {
    const one = await open(tight.ws);
    one.send(`CONNECT\nuserId:${'a'.repeat(MAX_HEADER)}`);
    await expectError(one, /header line/, 1009);
  });

  it('--max-body: a body as large passes, a larger one is refused with 1009 from its announced length', async () => {
    const one = await talk(tight.ws, 'cust01');
    await one.sure('SEND', { destination: '/topic/a', 'content-length': MAX_BODY }, 'x'.repeat(MAX_BODY));
    one.send(`SEND\ndestination:/topic/a\nreceipt:big\ncontent-length:${MAX_BODY + 1}\n\n`);
    expect((await expectError(one, /body/, 1009)).header('receipt-id')).toBe('big');
  });

  it('--max-body: a body without a length, in pieces that never end, is refused with 1009', async () => {
    const one = await talk(tight.ws, 'cust01');
    one.send('SEND\ndestination:/topic/a\n\n');
    for (let sent = 0; sent <= MAX_BODY; sent += 1024) one.send('x'.repeat(1024));
    await expectError(one, /body/, 1009);
  });

  it('a WebSocket message larger than any frame is closed with 1009, and the session is gone', async () => {
    const one = await talk(tight.ws, 'cust01');
    one.send(frame('SEND', { destination: '/topic/a' }, 'x'.repeat(1 << 20)));
    expect((await one.closed).code).toBe(1009);
    expect(one.frames('RECEIPT')).toEqual([]);
    await nothingLeft(redis);
  });

  it('--max-buffer: a slow consumer is cut, its neighbour gets every message in order', {
    timeout: 60_000,
  }, async () => {
    const [slow, neighbour, sender] = await Promise.all(
      ['slow', 'neighbour', 'sender'].map((user) => talk(tight.ws, user)),
    );
    for (const one of [slow!, neighbour!]) await one.sure('SUBSCRIBE', { id: 's', destination: '/topic/flood' });
    let [heard, ordered] = [0, true];
    neighbour!.messages.length = 0;
    neighbour!.socket.on('message', (data: Buffer) => {
      ordered &&= data.toString().includes(`\n\n${heard} `);
      heard++;
      neighbour!.messages.length = 0;
    });
    slow!.socket.pause();
    const gone = async () => !(await redis.client.exists(`ws:session:${slow!.session}`));
    let sent = 0;
    while (!(await gone()) && sent < 8000) {
      for (const until = sent + 4; sent < until; sent++) {
        sender!.say('SEND', { destination: '/topic/flood' }, `${sent} ${'x'.repeat(8000)}`);
      }
      await until(() => heard === sent, 10_000, 'the neighbour to have heard all');
    }
    expect(await gone()).toBe(true);
    expect(ordered).toBe(true);
    slow!.socket.resume();
    expect((await within(slow!.closed)).code).toBe(1006);
    await sender!.sure('SEND', { destination: '/topic/flood' }, `${sent} after`);
    await until(() => heard === sent + 1);
    expect(ordered).toBe(true);
    expect((await serve.rest('/api/session/user/slow')).body.isOnline).toBe(false);
  });

  it('the servers lived through all of it', async () => {
    for (const one of [serve, tight]) {
      expect((await one.rest('/readyz')).status).toBe(200);
      expect(one.stderr()).not.toMatch(/\n\s+at /); // no stack in the log
    }
  });
});
