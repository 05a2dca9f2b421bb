/** What comes to the port and is no plain HTTP request, and what can't become a WebSocket. */
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { dropClients } from '../helpers/clients.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { talk } from '../helpers/talk.ts';
import { within } from '../helpers/wait.ts';

describeWithRedis('the port', () => {
  let redis: TestRedis;
  let serve: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    serve = await startServe(redis.url, ['--max-body', '1k']);
  });
  afterEach(() => dropClients());
  afterAll(async () => {
    await serve?.stop();
    await redis?.stop();
  });

  /** Sends bytes and reads until the server closes. */
  const exchange = (bytes: string, port = serve.port) =>
    within(
      new Promise<string>((resolve, reject) => {
        let text = '';
        const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
        socket.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        socket.on('end', () => resolve(text)).on('error', reject);
      }),
    );
  const bodyOf = (answer: string) => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));

  it('an upgrade to another protocol is ignored, the route answers (RFC 9110, 7.8)', async () => {
    const h2c =
      'Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n';
    const all = await exchange(`GET /api/session/all HTTP/1.1\r\nHost: 127.0.0.1\r\n${h2c}\r\n`);
    expect(all).toMatch(/^HTTP\/1\.1 200 /);
    expect(bodyOf(all)).toEqual({ totalCount: 0, sessions: [] });
    const health = await exchange(`GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n${h2c}\r\n`);
    expect(bodyOf(health)).toEqual({ status: 'ok' });
    const foreign = await exchange(`GET /healthz HTTP/1.1\r\nHost: evil.example\r\n${h2c}\r\n`);
    expect(foreign).toMatch(/^HTTP\/1\.1 403 /);
  });

  const get = (target: string, ...headers: string[]) =>
    exchange([`GET ${target} HTTP/1.1`, ...headers, 'Connection: close', '', ''].join('\r\n'));

  it.each(['http://127.0.0.1', 'http://localhost:28070', 'HTTP://LOCALHOST', 'http://[::1]:80', 'https://localhost'])(
    'a target in absolute form is served (RFC 9112, 3.2.2): %s',
    async (origin) => {
      const stats = await get(`${origin}/api/session/user/kim?x=/http://y`, 'Host: localhost');
      expect(stats).toMatch(/^HTTP\/1\.1 200 /);
      expect(bodyOf(stats).userId).toBe('kim');
      // The Host header is ignored: it is the target that says which host is meant.
      expect(await get(`${origin}/healthz`, 'Host: evil.example')).toMatch(/^HTTP\/1\.1 200 /);
      expect(await get(`${origin}?x`, 'Host: localhost')).toMatch(/^HTTP\/1\.1 404 /);
      const { hostname } = new URL(origin);
      expect(await get(`${origin}/healthz`, 'Host: x', `Origin: http://${hostname}`)).toMatch(/^HTTP\/1\.1 200 /);
    },
  );

  it.each([
    ['another host', 'http://evil.example/healthz', 'localhost', 403],
    [
      'another host, for the name of which the port looks',
      'http://localhost.evil.example:80/healthz',
      'localhost',
      403,
    ],
    ['a host behind an @', 'http://localhost@evil.example/healthz', 'localhost', 400],
    ['our host behind an @', 'http://evil.example@localhost/healthz', 'localhost', 400],
    ['no host', 'http:///healthz', 'localhost', 400],
    ['a host that is none', 'http://lo%20cal/healthz', 'localhost', 400],
    ['a port that is none', 'http://localhost:99999/healthz', 'localhost', 400],
    ['another scheme', 'ftp://localhost/healthz', 'localhost', 400],
    ['a path that only looks absolute', '//localhost/healthz', 'localhost', 404],
    ['an absolute form inside a path', '/http://localhost/healthz', 'localhost', 404],
    ['a Host behind an @', '/healthz', 'evil.example@localhost', 400],
    ['a Host with a path', '/healthz', 'localhost/evil.example', 400],
    ['a Host with a fragment', '/healthz', 'localhost#@evil.example', 400],
    ['a Host that is none', '/healthz', 'localhost, evil.example', 400],
    ['another host in the path', '/healthz', 'evil.example', 403],
    ['a fragment', 'http://localhost/healthz#x', 'localhost', 400],
    ['two hosts', '/healthz', 'localhost\r\nHost: evil.example', 400],
    ['two hosts, absolute', 'http://localhost/healthz', 'localhost\r\nHost: evil.example', 400],
  ])('a hostile target is refused in JSON, for requests and for handshakes: %s', async (_, target, host, status) => {
    const upgrade = ['Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='];
    for (const answer of [
      await get(target, `Host: ${host}`),
      await exchange(
        [
          `GET ${target.replace('healthz', 'ws')} HTTP/1.1`,
          `Host: ${host}`,
          'Connection: Upgrade',
          ...upgrade,
          '',
          '',
        ].join('\r\n'),
      ),
    ]) {
      expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(bodyOf(answer).error.message).toEqual(expect.any(String));
    }
    expect(await get('/healthz', 'Host: localhost')).toMatch(/^HTTP\/1\.1 200 /);
  });

  it.each(['http://localhost/ws', 'ws://127.0.0.1:1/connection/websocket?x=1'])(
    'a WebSocket handshake in absolute form: %s',
    async (target) => {
      const socket = connect(serve.port, '127.0.0.1');
      const answer = new Promise<string>((resolve) => socket.once('data', (data) => resolve(data.toString())));
      socket.write(
        `GET ${target} HTTP/1.1\r\nHost: evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
      );
      expect(await within(answer)).toMatch(/^HTTP\/1\.1 101 /);
      socket.destroy();
    },
  );

  it.each([
    ['no HTTP', 'FOO\r\n\r\n', 400, 'bad_request'],
    ['a head that is too long', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 431, 'bad_request'],
    ['no Host', 'GET /api/session/all HTTP/1.1\r\nConnection: close\r\n\r\n', 403, 'forbidden_origin'],
    [
      'a handshake without a key',
      'GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\r\n',
      400,
      'bad_request',
    ],
    [
      'a handshake by POST',
      'POST /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      400,
      'bad_request',
    ],
  ])("%s is a 4xx with the error table's JSON", async (_, bytes, status, code) => {
    const answer = await exchange(bytes);
    expect(answer.startsWith(`HTTP/1.1 ${status} `)).toBe(true);
    expect(bodyOf(answer)).toEqual({ error: { code, message: expect.any(String), advice: expect.any(String) } });
  });

  it.each([
    ['that is too large', Buffer.alloc(4 << 20, 'x'), true, 1009, /larger/],
    ['of text that is no UTF-8', Buffer.from([0xff]), false, 1007, /not UTF-8/],
  ])('a WebSocket message %s has an ERROR, then the close', async (_, bytes, binary, code, message) => {
    const client = await talk(serve.ws, 'cust01');
    client.socket.send(bytes, { binary });
    expect((await within(client.closed)).code).toBe(code);
    expect(client.frames().at(-1)).toMatchObject({ command: 'ERROR' });
    expect(client.frames().at(-1)!.header('message')).toMatch(message);
    expect(client.frames().at(-1)!.header('cause')).toBe('protocol_error');
  });

  it('--connect-timeout: a request or a handshake that never ends, and silence, are 408 and the close', async () => {
    const slow = await startServe(redis.url, ['--connect-timeout', '200ms']);
    for (const bytes of [
      '',
      'GET /healthz HTTP/1.1\r\n',
      'GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n',
    ]) {
      const answer = await exchange(bytes, slow.port);
      expect(answer).toMatch(/^HTTP\/1\.1 408 /);
      expect(bodyOf(answer).error.code).toBe('bad_request');
    }
    expect(await slow.stop()).toBe(0);
  });

  it.each<[string, string, string]>([
    ['drips', 'Content-Length: 9', 'x'],
    ['is garbage', 'Transfer-Encoding: chunked', 'no chunk\r\n'],
  ])('a request that was answered while its body came is answered once, though that %s', async (_, header, body) => {
    const slow = await startServe(redis.url, ['--connect-timeout', '200ms']);
    let text = '';
    const socket = connect(slow.port, '127.0.0.1', () =>
      socket.write(`POST /nope HTTP/1.1\r\nHost: localhost\r\n${header}\r\n\r\n`),
    );
    const ended = new Promise<void>((resolve, reject) => socket.on('end', resolve).on('error', reject));
    socket.setEncoding('utf8').on('data', (part: string) => {
      if (text === '') socket.write(body);
      text += part;
    });
    await within(ended);
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 404']);
    expect(bodyOf(text).error.code).toBe('no_route');
    expect(await slow.stop()).toBe(0);
  });

  it('the request behind one that was answered is answered by itself: a head that never ends with 408', async () => {
    const slow = await startServe(redis.url, ['--connect-timeout', '200ms']);
    const answer = await exchange(
      'POST /nope HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nxGET /',
      slow.port,
    );
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 404', 'HTTP/1.1 408']);
    expect(await slow.stop()).toBe(0);
  });

  it('a refused upgrade whose peer keeps its side open does not keep the server from ending', async () => {
    const other = await startServe(redis.url);
    const socket = connect({ port: other.port, host: '127.0.0.1', allowHalfOpen: true });
    const answered = new Promise<void>((resolve) => socket.once('data', () => resolve()));
    socket.on('error', () => {});
    socket.write('GET /nope HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    await within(answered);
    expect(await other.stop()).toBe(0);
    socket.destroy();
  });
});
