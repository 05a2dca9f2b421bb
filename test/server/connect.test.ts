/** CONNECT: versions, who it is, registered before CONNECTED, and every way it can go wrong. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { connectBare, dropClients, frame } from '../helpers/clients.ts';
import { ask } from '../helpers/http.ts';
import { heldBy, nothingLeft, sessionKeys } from '../helpers/keys.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { open, type Talk, talk } from '../helpers/talk.ts';
import { sleep, until } from '../helpers/wait.ts';

describeWithRedis('CONNECT', () => {
  let redis: TestRedis;
  let serve: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    serve = await startServe(redis.url, ['--node', 'connect-a']);
  });
  afterEach(async () => {
    dropClients();
    await nothingLeft(redis);
  });
  afterAll(async () => {
    await serve?.stop();
    await redis?.stop();
  });

  /** The client got an ERROR as its last frame, which says why, then this close; its session is nowhere. */
  const expectRefused = async (client: Talk, message: RegExp, code: number) => {
    expect((await client.closed).code).toBe(code);
    const frames = client.frames();
    const error = frames.at(-1);
    expect(frames.filter(({ command }) => command === 'ERROR')).toHaveLength(1);
    expect(error?.command).toBe('ERROR');
    expect(error?.header('message')).toMatch(message);
    expect(error?.header('cause')).toBe(code === 1013 ? 'closed' : 'protocol_error');
    return error!;
  };

  it.each([
    [undefined, '1.0'],
    ['1.0', '1.0'],
    ['1.1', '1.1'],
    ['1.2', '1.2'],
    ['1.0,1.1,1.2', '1.2'],
    ['1.2,1.1,1.0', '1.2'],
    ['1.1,1.0', '1.1'],
    ['1.0, 1.1', '1.1'],
    ['2.0,1.1', '1.1'],
  ])('1.2 "Protocol Negotiation": accept-version %s is answered with %s', async (accepted, version) => {
    const client = await open(serve.ws);
    client.say('CONNECT', { ...(accepted && { 'accept-version': accepted }), host: 'localhost', userId: 'cust01' });
    expect((await client.wait('CONNECTED')).header('version')).toBe(version);
  });

  it.each(['2.0', '1.3,9.9', '', '12'])(
    '1.2 "Protocol Negotiation": accept-version %j has none in common: ERROR lists ours, then the close, and nothing after it is acted on',
    async (accepted) => {
      const neighbour = await talk(serve.ws, 'neighbour');
      await neighbour.sure('SUBSCRIBE', { id: 'n', destination: '/topic/n' });
      const client = await open(serve.ws);
      client.send(
        frame('CONNECT', { 'accept-version': accepted, host: 'localhost', userId: 'cust01' }) +
          frame('CONNECT', { 'accept-version': '1.2', host: 'localhost', userId: 'cust01' }) +
          frame('SEND', { destination: '/topic/n' }, 'from the refused'),
      );
      const error = await expectRefused(client, /version/i, 1002);
      const told = `${error.header('version')} ${error.body.toString()}`;
      for (const version of ['1.0', '1.1', '1.2']) expect(told).toContain(version);
      await neighbour.sure('SEND', { destination: '/topic/n' }, 'from the neighbour');
      await neighbour.wait('MESSAGE');
      expect(neighbour.frames('MESSAGE').map(({ body }) => body.toString())).toEqual(['from the neighbour']);
      expect((await sessionKeys(redis)).filter((key) => key.startsWith('ws:session:'))).toEqual([
        `ws:session:${neighbour.session}`,
      ]);
    },
  );

  it.each([
    [['v12.stomp', 'v11.stomp', 'v10.stomp'], 'v12.stomp'],
    [['v10.stomp', 'v11.stomp'], 'v11.stomp'],
    [['v10.stomp'], 'v10.stomp'],
    [['foo', 'v11.stomp'], 'v11.stomp'],
    [[], ''],
  ])('of the subprotocols %j, %j is echoed', async (offered, echoed) => {
    const { socket } = await connectBare(serve.ws, offered);
    expect(socket.protocol).toBe(echoed);
  });

  it('no subprotocol is echoed that was not offered', async () => {
    const failure = new Promise<string>((resolve) => {
      void connectBare(serve.ws, ['foo']).then(
        ({ socket }) => resolve(`open with ${socket.protocol}`),
        () => {},
      );
      setTimeout(() => resolve('closed by the client: no subprotocol'), 300);
    });
    expect(await failure).toBe('closed by the client: no subprotocol');
  });

  it('1.2 "CONNECTED": version, session, server, user-name and heart-beat', async () => {
    const client = await talk(serve.ws, '홍길동', { userRole: 'CUSTOMER' });
    const { headers, body } = client.frames()[0]!;
    expect(headers.map(([name]) => name).sort()).toEqual(['heart-beat', 'server', 'session', 'user-name', 'version']);
    expect(Object.fromEntries(headers)).toMatchObject({
      version: '1.2',
      'user-name': '홍길동',
      'heart-beat': '10000,10000',
    });
    expect(client.session).toMatch(/^[A-Za-z0-9_][A-Za-z0-9_-]{15}$/);
    expect(client.frames()[0]!.header('server')).toMatch(/^wssess\/\d/);
    expect(body).toHaveLength(0);
  });

  it('is registered before CONNECTED: when the client sees it, the keys are there', async () => {
    redis.pause();
    const client = await open(serve.ws);
    client.say('CONNECT', { 'accept-version': '1.2', userId: 'cust01', userRole: 'CUSTOMER' });
    await ask(serve.port, '/healthz');
    await sleep(200);
    expect(client.received()).toBe('');
    // redis-cli runs while nothing else in this process does.
    const seen = new Promise<string[]>((resolve) =>
      client.socket.once('message', (data: Buffer) => {
        const id = /\nsession:(.+)\n/.exec(data.toString())![1]!;
        resolve([
          redis.cli('GET', `ws:session:${id}`),
          redis.cli('GET', `ws:session:${id}:role`),
          redis.cli('SISMEMBER', 'ws:user:cust01', id),
          redis.cli('SISMEMBER', 'ws:sessions:all', id),
        ]);
      }),
    );
    redis.resume();
    expect(await seen).toEqual(['cust01', 'CUSTOMER', '1', '1']);
  });

  it('the four families have the TTLs of the seed, the role key only where there is a role', async () => {
    const { session } = await talk(serve.ws, 'cust01', { userRole: 'CUSTOMER' });
    const { session: bare } = await talk(serve.ws, 'cust02');
    for (const key of [`session:${session}`, `session:${session}:role`, 'user:cust01', `session:${bare}`]) {
      const ttl = await redis.client.ttl(`ws:${key}`);
      expect(ttl).toBeGreaterThan(86_300);
      expect(ttl).toBeLessThanOrEqual(86_400);
    }
    expect(await redis.client.ttl('ws:sessions:all')).toBe(-1);
    const own = (await redis.keys()).filter((key) => key.startsWith('ws:session:'));
    expect(own).toEqual([`ws:session:${session}`, `ws:session:${session}:role`, `ws:session:${bare}`].sort());
  });

  it('1.2 "CONNECT or STOMP": STOMP is CONNECT', async () => {
    const client = await open(serve.ws);
    client.say('STOMP', { 'accept-version': '1.2', host: 'localhost', userId: 'cust01' });
    await client.wait('CONNECTED');
    expect((await serve.rest('/api/session/user/cust01')).body.sessionCount).toBe(1);
  });

  it('login names the user where userId does not; userId is the stronger', async () => {
    const client = await open(serve.ws);
    client.say('CONNECT', { 'accept-version': '1.2', login: 'cust01', passcode: 'x' });
    expect((await client.wait('CONNECTED')).header('user-name')).toBe('cust01');
    const both = await talk(serve.ws, 'cust02', { login: 'cust01' });
    expect(both.frames()[0]!.header('user-name')).toBe('cust02');
  });

  it('host may be missing, and line ends may be CRLF', async () => {
    const client = await open(serve.ws);
    client.send('CONNECT\r\naccept-version:1.2\r\nuserId:cust01\r\n\r\n\0');
    expect((await client.wait('CONNECTED')).header('user-name')).toBe('cust01');
  });

  it('1.2 "Value Encoding": CONNECT is not unescaped, CONNECTED not escaped', async () => {
    const client = await talk(serve.ws, 'DOMAIN\\new:1');
    expect(client.frames()[0]!.header('user-name')).toBe('DOMAIN\\new:1');
    expect(redis.cli('GET', `ws:session:${client.session}`)).toBe('DOMAIN\\new:1');
  });

  it.each([{}, { userId: '' }, { userRole: 'ADMIN' }, { login: '' }])(
    'CONNECT with %j has no user: ERROR and close',
    async (headers) => {
      const client = await open(serve.ws);
      client.say('CONNECT', { 'accept-version': '1.2', host: 'localhost', ...headers });
      const error = await expectRefused(client, /user/, 1008);
      expect(error.body.toString()).toContain('userId');
    },
  );

  it('a user has at most 512 bytes', async () => {
    const longest = `${'홍'.repeat(170)}ab`;
    expect((await talk(serve.ws, longest)).frames()[0]!.header('user-name')).toBe(longest);
    for (const headers of [
      { userId: `${longest}c` },
      { login: `${longest}c` },
      { userId: 'u', userRole: `${longest}c` },
    ]) {
      const client = await open(serve.ws);
      client.say('CONNECT', { 'accept-version': '1.2', ...headers });
      await expectRefused(client, /512 bytes/, 1008);
    }
  });

  it.each(['CONNECT', 'STOMP'])(
    'a second %s is an ERROR, cannot change the user, and ends the session',
    async (command) => {
      const client = await talk(serve.ws, 'cust01');
      client.say(command, { 'accept-version': '1.2', host: 'localhost', userId: 'admin' });
      await expectRefused(client, /once/, 1002);
      await nothingLeft(redis);
      expect((await serve.rest('/api/session/user/admin')).body.isOnline).toBe(false);
    },
  );

  it('a second CONNECT in the same message is an ERROR, too', async () => {
    const client = await open(serve.ws);
    const connect = (user: string) => frame('CONNECT', { 'accept-version': '1.2', userId: user });
    client.send(connect('cust01') + connect('admin'));
    await expectRefused(client, /once/, 1002);
    expect(client.frames('CONNECTED').map((got) => got.header('user-name'))).toEqual(['cust01']);
  });

  it.each(['SEND', 'SUBSCRIBE', 'DISCONNECT'])('%s before CONNECT is an ERROR', async (command) => {
    const client = await open(serve.ws);
    client.say(command, { destination: '/topic/a', id: '1', receipt: 'r-1' });
    const error = await expectRefused(client, /before CONNECT/, 1002);
    expect(error.header('receipt-id')).toBe('r-1');
  });

  it.each(['1.1', '1.2'])('%s "Heart-beating": a heart-beat header that is none is an ERROR', async (version) => {
    for (const heartBeat of ['x', '1', '1,2,3', '-1,0', '1.5,0']) {
      const client = await open(serve.ws);
      client.say('CONNECT', { 'accept-version': version, userId: 'cust01', 'heart-beat': heartBeat });
      await expectRefused(client, /heart-beat/, 1002);
    }
  });

  it('what is not STOMP is an ERROR', async () => {
    for (const text of ['GET / HTTP/1.1\r\n\r\n', '{"hello":1}', '\0', 'connect\n\n\0', 'CONNECT\nuserId\n\n\0']) {
      const client = await open(serve.ws);
      client.send(text);
      expect((await client.wait('ERROR')).header('message')).not.toBe('');
      expect((await client.closed).code).toBe(1002);
    }
  });

  it('a socket that sends no CONNECT in time has an ERROR and is closed; one that does stays', async () => {
    const impatient = await startServe(redis.url, ['--connect-timeout', '300ms', '--node', 'connect-b']);
    try {
      const [silent, dripping] = [await open(impatient.ws), await open(impatient.ws)];
      dripping.send('CONNECT\naccept-version:1.2\n');
      const beat = setInterval(() => dripping.send('x-more:1\n'), 50);
      await expectRefused(silent, /CONNECT/, 1008);
      await expectRefused(dripping, /CONNECT/, 1008);
      clearInterval(beat);
      const punctual = await talk(impatient.ws, 'cust01');
      await sleep(600);
      await punctual.sure('SEND', { destination: '/topic/alive' });
    } finally {
      await impatient.stop();
    }
  });

  it('a socket destroyed right after CONNECT leaves nothing behind', async () => {
    const before = await redis.keys();
    redis.cli('CONFIG', 'RESETSTAT');
    for (let i = 0; i < 50; i++) {
      const client = await connectBare(serve.ws);
      await new Promise<void>((resolve) => {
        client.socket.send(frame('CONNECT', { 'accept-version': '1.2', userId: `gone${i}`, userRole: 'X' }), () => {
          client.socket.terminate();
          resolve();
        });
        if (i % 5 === 0) client.socket.terminate();
      });
    }
    // Whoever comes behind them is served, and all of them have come to an end when it is alone.
    await talk(serve.ws, 'last');
    await until(async () => (await heldBy(redis, serve.node)) === 1, 15_000, 'the node to hold one session');
    const writes = Number(/cmdstat_evalsha:calls=(\d+)/.exec(redis.cli('INFO', 'commandstats'))?.[1]);
    expect(writes).toBeGreaterThan(40); // many of them were being registered
    expect((await serve.rest('/api/session/stats')).body.totalActiveSessions).toBe(1);
    dropClients();
    await nothingLeft(redis);
    expect(await redis.keys()).toEqual(before);
  });

  it('a socket destroyed while its registration hangs leaves nothing behind', async () => {
    redis.pause();
    const client = await open(serve.ws);
    client.say('CONNECT', { 'accept-version': '1.2', userId: 'cust01', userRole: 'X' });
    await ask(serve.port, '/healthz');
    client.socket.terminate();
    await ask(serve.port, '/healthz');
    redis.resume();
    await until(async () => (await heldBy(redis, serve.node)) === 0, 15_000, 'the node to hold no session');
    await nothingLeft(redis);
  });

  it('Redis killed: CONNECT is refused with advice to retry and 1013; those who are there still talk to each other', async () => {
    const [one, two] = [await talk(serve.ws, 'cust01'), await talk(serve.ws, 'cust02')];
    await one.sure('SUBSCRIBE', { id: 's', destination: '/topic/chat' });
    await redis.kill();
    await until(async () => (await serve.rest('/readyz')).status === 503, 10_000, 'serve to notice');
    const late = await open(serve.ws);
    late.say('CONNECT', { 'accept-version': '1.2', userId: 'cust03' });
    const error = await expectRefused(late, /later/, 1013);
    expect(error.body.toString()).toMatch(/again/);
    expect(`${error.header('message')} ${error.body}`).not.toContain(String(redis.port));
    await two.sure('SEND', { destination: '/topic/chat' }, 'are you there?');
    expect((await one.wait('MESSAGE')).body.toString()).toBe('are you there?');
    expect([one.socket.readyState, two.socket.readyState]).toEqual([1, 1]);
    await redis.restart();
    await until(async () => (await serve.rest('/readyz')).status === 200, 25_000, 'serve to be ready again');
    await talk(serve.ws, 'cust03');
  });
});
