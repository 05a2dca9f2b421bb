/** REST as it is published: shapes to the byte, every status, who may knock. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { connectBare, dropClients } from '../helpers/clients.ts';
import { ask } from '../helpers/http.ts';
import { nothingLeft, removeForeign, writeForeign } from '../helpers/keys.ts';
import { type Serve, startServe } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { talk } from '../helpers/talk.ts';
import { until } from '../helpers/wait.ts';

const JSON_TYPE = 'application/json; charset=utf-8';
const ALL_MAX = 1500;

describeWithRedis('REST', () => {
  let redis: TestRedis;
  let serve: Serve;
  const foreign = new Map<string, string>();

  const write = (id: string, user: string) => {
    foreign.set(id, user);
    writeForeign(redis, id, user);
  };
  const get = (path: string, headers: Record<string, string> = {}) => ask(serve.port, path, 'GET', headers);
  const remove = (path: string) => ask(serve.port, path, 'DELETE');
  const expectError = (reply: { status: number; text: string; headers: object }, status: number, code: string) => {
    expect({ status: reply.status, text: reply.text }).toMatchObject({ status });
    expect(reply.headers).toMatchObject({ 'content-type': JSON_TYPE });
    const body = JSON.parse(reply.text);
    expect(Object.keys(body)).toEqual(['error']);
    expect(Object.keys(body.error)).toEqual(['code', 'message', 'advice']);
    expect(body.error.code).toBe(code);
    expect(body.error.advice).not.toBe('');
  };

  beforeAll(async () => {
    redis = await startRedis();
    serve = await startServe(redis.url, ['--rest-all-max', String(ALL_MAX), '--node', 'rest-a']);
  });
  afterEach(async () => {
    dropClients();
    for (const [id, user] of foreign) await removeForeign(redis, id, user);
    foreign.clear();
    await nothingLeft(redis);
  });
  afterAll(async () => {
    await serve?.stop();
    await redis?.stop();
  });

  it('GET all is {"totalCount","sessions"} to the byte', async () => {
    expect(await get('/api/session/all')).toMatchObject({
      status: 200,
      text: '{"totalCount":0,"sessions":[]}',
      headers: { 'content-type': JSON_TYPE, 'content-length': '30' },
    });
    const { session } = await talk(serve.ws, 'cust01');
    expect((await get('/api/session/all')).text).toBe(`{"totalCount":1,"sessions":["${session}"]}`);
    const other = await talk(serve.ws, 'cust02');
    const { text } = await get('/api/session/all');
    const { sessions } = JSON.parse(text);
    expect(text).toBe(JSON.stringify({ totalCount: 2, sessions }));
    expect(sessions.sort()).toEqual([session, other.session].sort());
  });

  it('GET a session is {"sessionId","userId","userRole"} to the byte', async () => {
    const { session } = await talk(serve.ws, 'cust01', { userRole: 'CUSTOMER' });
    expect(await get(`/api/session/${session}`)).toMatchObject({
      status: 200,
      text: `{"sessionId":"${session}","userId":"cust01","userRole":"CUSTOMER"}`,
      headers: { 'content-type': JSON_TYPE },
    });
  });

  it('userRole is null without a role', async () => {
    const { session } = await talk(serve.ws, 'cust01');
    expect((await get(`/api/session/${session}`)).text).toBe(
      `{"sessionId":"${session}","userId":"cust01","userRole":null}`,
    );
  });

  it('GET a user is {"userId","isOnline","sessionCount","sessions"} to the byte', async () => {
    const { session } = await talk(serve.ws, 'cust01');
    expect(await get('/api/session/user/cust01')).toMatchObject({
      status: 200,
      text: `{"userId":"cust01","isOnline":true,"sessionCount":1,"sessions":["${session}"]}`,
      headers: { 'content-type': JSON_TYPE },
    });
  });

  it('GET online is {"userId","isOnline","sessionCount"} to the byte', async () => {
    await talk(serve.ws, 'cust01');
    await talk(serve.ws, 'cust01');
    expect(await get('/api/session/user/cust01/online')).toMatchObject({
      status: 200,
      text: '{"userId":"cust01","isOnline":true,"sessionCount":2}',
      headers: { 'content-type': JSON_TYPE },
    });
  });

  it('POST refresh is {"sessionId","userId","refreshed"} to the byte, and renews the TTLs', async () => {
    const { session } = await talk(serve.ws, 'cust01', { userRole: 'CUSTOMER' });
    const keys = [`ws:session:${session}`, `ws:session:${session}:role`];
    for (const key of keys) await redis.client.pexpire(key, 60_000);
    expect(await ask(serve.port, `/api/session/${session}/refresh`, 'POST')).toMatchObject({
      status: 200,
      text: `{"sessionId":"${session}","userId":"cust01","refreshed":true}`,
      headers: { 'content-type': JSON_TYPE },
    });
    for (const key of keys) expect(await redis.client.ttl(key)).toBeGreaterThan(86_000);
  });

  it('GET stats is {"totalActiveSessions","timestamp"} to the byte', async () => {
    await talk(serve.ws, 'cust01');
    const before = Date.now();
    const { status, text, headers } = await get('/api/session/stats');
    const { timestamp } = JSON.parse(text);
    expect({ status, type: headers['content-type'] }).toEqual({ status: 200, type: JSON_TYPE });
    expect(text).toBe(`{"totalActiveSessions":1,"timestamp":${timestamp}}`);
    expect(timestamp).toBeGreaterThanOrEqual(before);
    expect(timestamp).toBeLessThanOrEqual(Date.now());
  });

  it('an unknown user is 200 and offline', async () => {
    expect(await get('/api/session/user/nobody')).toMatchObject({
      status: 200,
      text: '{"userId":"nobody","isOnline":false,"sessionCount":0,"sessions":[]}',
    });
    expect(await get('/api/session/user/nobody/online')).toMatchObject({
      status: 200,
      text: '{"userId":"nobody","isOnline":false,"sessionCount":0}',
    });
  });

  it('an unknown session is 404 with the error of the table', async () => {
    expectError(await get('/api/session/nosuch'), 404, 'session_not_found');
    expectError(await ask(serve.port, '/api/session/nosuch/refresh', 'POST'), 404, 'session_not_found');
  });

  it('a session that another program wrote by the three commands of the seed is everywhere', async () => {
    write('test123', 'testUser');
    expect((await get('/api/session/test123')).text).toBe(
      '{"sessionId":"test123","userId":"testUser","userRole":null}',
    );
    expect((await get('/api/session/all')).text).toBe('{"totalCount":1,"sessions":["test123"]}');
    expect((await get('/api/session/user/testUser')).text).toBe(
      '{"userId":"testUser","isOnline":true,"sessionCount":1,"sessions":["test123"]}',
    );
    expect((await get('/api/session/user/testUser/online')).json().isOnline).toBe(true);
    expect((await get('/api/session/stats')).json().totalActiveSessions).toBe(1);
    await redis.client.pexpire('ws:session:test123', 60_000);
    expect((await ask(serve.port, '/api/session/test123/refresh', 'POST')).text).toBe(
      '{"sessionId":"test123","userId":"testUser","refreshed":true}',
    );
    expect(await redis.client.ttl('ws:session:test123')).toBeGreaterThan(86_000);
    redis.cli('DEL', 'ws:session:test123');
    expectError(await get('/api/session/test123'), 404, 'session_not_found');
    expect((await get('/api/session/all')).json().totalCount).toBe(0);
    expect((await get('/api/session/user/testUser')).json()).toMatchObject({ isOnline: false, sessionCount: 0 });
    expect((await get('/api/session/stats')).json().totalActiveSessions).toBe(0);
  });

  it('users with Korean names are found percent-encoded', async () => {
    const { session } = await talk(serve.ws, '홍길동 1');
    const path = `/api/session/user/${encodeURIComponent('홍길동 1')}`;
    expect((await get(path)).text).toBe(
      `{"userId":"홍길동 1","isOnline":true,"sessionCount":1,"sessions":["${session}"]}`,
    );
    expect((await get(`${path}/online`)).json()).toEqual({ userId: '홍길동 1', isOnline: true, sessionCount: 1 });
  });

  it('DELETE is 200 kicked; the client has the reason in ERROR and close 4001, and the keys are gone', async () => {
    const client = await talk(serve.ws, 'cust01');
    const reply = await remove(`/api/session/${client.session}?reason=${encodeURIComponent('너무 오래 켜 두었어요')}`);
    expect(reply).toMatchObject({ status: 200, headers: { 'content-type': JSON_TYPE } });
    expect(reply.text).toBe(`{"session_id":"${client.session}","user":"cust01","node":"rest-a","outcome":"kicked"}`);
    expect(await redis.client.exists(`ws:session:${client.session}`)).toBe(0);
    expect((await client.wait('ERROR')).body.toString()).toContain('너무 오래 켜 두었어요');
    expect(await client.closed).toEqual({ code: 4001, reason: '너무 오래 켜 두었어요' });
  });

  it('DELETE without a reason kicks, too', async () => {
    const client = await talk(serve.ws, 'cust01');
    expect((await remove(`/api/session/${client.session}`)).json().outcome).toBe('kicked');
    expect((await client.closed).code).toBe(4001);
  });

  it.each<[string, string, string]>([
    ['two lines', 'go home\nit is late', 'go home'],
    ['CRLF', '\r\n \r\ngo home\r\nit is late', 'go home'],
    ['a lone CR', 'go home\rit is late', 'go home'],
    ['NUL', 'go\0home', 'go\\x00home'],
    ['a colon and a backslash', 'C:\\', 'C:\\'],
  ])('the message of ERROR is one line, in every version; the body is all of it: %s', async (_, reason, message) => {
    for (const version of ['1.0', '1.1', '1.2']) {
      const client = await talk(serve.ws, 'cust01', { 'accept-version': version });
      expect((await remove(`/api/session/${client.session}?reason=${encodeURIComponent(reason)}`)).status).toBe(200);
      const error = await client.wait('ERROR');
      const escaped = version === '1.0' ? message : message.replaceAll('\\', '\\\\').replaceAll(':', '\\c');
      expect([version, error.header('message'), error.body.toString()]).toEqual([version, escaped, reason]);
    }
  });

  it.each(['', '%20%0A'])('a reason that is blank is none: "%s"', async (reason) => {
    const client = await talk(serve.ws, 'cust01');
    expect((await remove(`/api/session/${client.session}?reason=${reason}`)).status).toBe(200);
    const error = await client.wait('ERROR');
    expect([error.header('message'), error.body.toString()]).toEqual([
      'kicked',
      'This session was closed by an operator.',
    ]);
    expect((await client.closed).reason).toBe('kicked');
  });

  it('a reason may hold a question mark', async () => {
    const client = await talk(serve.ws, 'cust01');
    expect((await remove(`/api/session/${client.session}?reason=still+there?+bye`)).status).toBe(200);
    expect((await client.closed).reason).toBe('still there? bye');
  });

  it('DELETE of an unknown id is 404 not_found', async () => {
    expect(await remove('/api/session/nosuch')).toMatchObject({
      status: 404,
      text: '{"session_id":"nosuch","user":null,"node":null,"outcome":"not_found"}',
    });
  });

  it('DELETE of a foreign session is 409 no_owner and changes nothing', async () => {
    write('test123', 'testUser');
    expect(await remove('/api/session/test123')).toMatchObject({
      status: 409,
      text: '{"session_id":"test123","user":"testUser","node":null,"outcome":"no_owner"}',
    });
    expect((await redis.keys()).filter((key) => !key.startsWith('ws:x:'))).toEqual([
      'ws:session:test123',
      'ws:sessions:all',
      'ws:user:testUser',
    ]);
  });

  it('DELETE with purge=true removes the keys of a foreign session', async () => {
    write('test123', 'testUser');
    expect(await remove('/api/session/test123?purge=true')).toMatchObject({
      status: 200,
      text: '{"session_id":"test123","user":"testUser","node":null,"outcome":"no_owner"}',
    });
    await nothingLeft(redis);
  });

  it('a reason has at most 1,024 bytes: all of them are in ERROR, as many as fit in the close', async () => {
    const client = await talk(serve.ws, 'cust01');
    const longest = `${'가'.repeat(341)}x`;
    const path = `/api/session/${client.session}?reason=`;
    expectError(await remove(`${path}${encodeURIComponent(`${longest}y`)}`), 400, 'bad_request');
    await client.sure('SEND', { destination: '/topic/alive' });
    expect((await remove(`${path}${encodeURIComponent(longest)}`)).status).toBe(200);
    expect((await client.wait('ERROR')).body.toString()).toBe(longest);
    expect((await client.closed).reason).toBe('가'.repeat(41));
  });

  it('all is refused with 413 above --rest-all-max', async () => {
    const pipeline = redis.client.pipeline();
    const ids = Array.from({ length: ALL_MAX + 1 }, (_, i) => `many${i}`);
    for (const id of ids) pipeline.set(`ws:session:${id}`, 'many', 'EX', 60);
    pipeline.sadd('ws:sessions:all', ...ids);
    await pipeline.exec();
    expectError(await get('/api/session/all'), 413, 'list_too_large');
    redis.cli('SREM', 'ws:sessions:all', 'many0');
    expect((await get('/api/session/all')).json().totalCount).toBe(ALL_MAX);
    await redis.client.del('ws:sessions:all', ...ids.map((id) => `ws:session:${id}`));
  });

  it('all names each session once, also while the set is rehashed under the walk', async () => {
    const ids = Array.from({ length: 1400 }, (_, i) => `twice${i}`);
    const pipeline = redis.client.pipeline();
    for (const id of ids) pipeline.set(`ws:session:${id}`, 'twice', 'EX', 60);
    await pipeline.exec();
    for (let round = 0; round < 5; round++) {
      await redis.client.sadd('ws:sessions:all', ...ids);
      const asked = get('/api/session/all');
      for (let at = 100; at < 1400; at += 100) await redis.client.srem('ws:sessions:all', ...ids.slice(at, at + 100));
      const { totalCount, sessions } = (await asked).json();
      expect(new Set(sessions).size).toBe(sessions.length);
      expect(totalCount).toBe(sessions.length);
      expect(sessions).toEqual(expect.arrayContaining(ids.slice(0, 100)));
    }
    await redis.client.del('ws:sessions:all', ...ids.map((id) => `ws:session:${id}`));
  });

  it.each(['all', 'stats'])('simultaneous callers of %s share the walk', async (route) => {
    write('test123', 'testUser');
    redis.cli('CONFIG', 'RESETSTAT');
    redis.pause();
    const asked = Array.from({ length: 20 }, () => get(`/api/session/${route}`));
    // Answered behind them: they have arrived, and hang on Redis.
    await Promise.all(Array.from({ length: 20 }, () => get('/healthz')));
    redis.resume();
    for (const reply of await Promise.all(asked)) expect(reply.status).toBe(200);
    const calls = Number(/cmdstat_sscan:calls=(\d+)/.exec(redis.cli('INFO', 'commandstats'))?.[1]);
    expect(calls).toBeGreaterThanOrEqual(1);
    expect(calls).toBeLessThanOrEqual(2); // the one that was being made, and the next, for all who came meanwhile
  });

  it('what was written a moment before is in the next answer, whoever else is asking', async () => {
    let asking = true;
    const crowd = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (asking) await get('/api/session/all');
      }),
    );
    try {
      for (let i = 0; i < 30; i++) {
        const id = `fresh${i}`;
        foreign.set(id, 'fresh');
        await redis.client.multi().set(`ws:session:${id}`, 'fresh', 'EX', 60).sadd('ws:sessions:all', id).exec();
        expect((await get('/api/session/all')).json().sessions).toContain(id);
        await redis.client.del(`ws:session:${id}`);
        expect((await get('/api/session/all')).json().sessions).not.toContain(id);
      }
    } finally {
      asking = false;
      await crowd;
    }
  });

  it('healthz and readyz say ok', async () => {
    for (const path of ['/healthz', '/readyz']) {
      expect(await get(path)).toMatchObject({
        status: 200,
        text: '{"status":"ok"}',
        headers: { 'content-type': JSON_TYPE },
      });
    }
  });

  it('HEAD is GET without the body', async () => {
    expect(await ask(serve.port, '/api/session/all', 'HEAD')).toMatchObject({
      status: 200,
      text: '',
      headers: { 'content-type': JSON_TYPE, 'content-length': '30' },
    });
    expect(await ask(serve.port, '/api/session/nosuch', 'HEAD')).toMatchObject({ status: 404, text: '' });
  });

  it.each([
    ['PUT', '/api/session/all', ['GET']],
    ['DELETE', '/api/session/stats', ['GET']],
    ['POST', '/api/session/user/cust01', ['GET']],
    ['PATCH', '/api/session/abc123', ['GET', 'DELETE']],
    ['GET', '/api/session/abc123/refresh', ['POST']],
    ['POST', '/healthz', ['GET']],
  ])('%s %s is 405, and Allow names what is served', async (method, path, allowed) => {
    const reply = await ask(serve.port, path, method);
    expectError(reply, 405, 'bad_method');
    const allow = reply.headers.allow?.split(', ');
    expect(allow).toEqual(expect.arrayContaining(allowed));
    expect(allow).not.toContain(method);
  });

  it.each(['/', '/api', '/api/session', '/api/session/', '/api/session/a/b', '/api/session//refresh', '/favicon.ico'])(
    '%s is 404',
    async (path) => expectError(await get(path), 404, 'no_route'),
  );

  it.each(['/api/session/%', '/api/session/%zz', '/api/session/%ff', '/api/session/user/%E0%A4'])(
    '%s is 400: no percent-encoded UTF-8',
    async (path) => expectError(await get(path), 400, 'bad_request'),
  );

  it('a session id with a colon is 400: it would name another key', async () => {
    const { session } = await talk(serve.ws, 'cust01', { userRole: 'CUSTOMER' });
    for (const path of [`/api/session/${session}:role`, `/api/session/${session}%3Arole`]) {
      expectError(await get(path), 400, 'bad_request');
      expectError(await remove(path), 400, 'bad_request');
      expectError(await ask(serve.port, `${path}/refresh`, 'POST'), 400, 'bad_request');
    }
    expect(await redis.client.get(`ws:session:${session}:role`)).toBe('CUSTOMER');
  });

  it('a session id or a user over 512 bytes is 400', async () => {
    const longest = '가'.repeat(170);
    const path = (kind: string, name: string) => `/api/session/${kind}${encodeURIComponent(name)}`;
    expectError(await get(path('', `${longest}ab`)), 404, 'session_not_found');
    expectError(await get(path('', `${longest}abc`)), 400, 'bad_request');
    expect((await get(path('user/', `${longest}ab`))).status).toBe(200);
    expectError(await get(path('user/', `${longest}abc`)), 400, 'bad_request');
    expectError(await get(`${path('user/', `${longest}abc`)}/online`), 400, 'bad_request');
  });

  it.each([
    '%0a',
    'a%0d%0aSet-Cookie%3Ax%3D1',
    '__proto__',
    'constructor',
    '..',
    '%2e%2e',
    '.',
    '%00',
    '%1b%5B2J',
    '*',
  ])('a hostile session id %s is none, and does no harm', async (id) => {
    write('test123', 'testUser');
    for (const reply of [await get(`/api/session/${id}`), await remove(`/api/session/${id}?purge=true`)]) {
      expect([400, 404]).toContain(reply.status);
      expect(reply.headers['set-cookie']).toBeUndefined();
      expect(reply.text).not.toMatch(/[\x00-\x1f\x7f]/);
      expect(() => reply.json()).not.toThrow();
    }
    expect((await get('/api/session/all')).text).toBe('{"totalCount":1,"sessions":["test123"]}');
  });

  it.each(['__proto__', 'constructor', '%0a', '..', '%2e%2e', '*'])('a hostile user %s is offline', async (name) => {
    write('test123', 'testUser');
    const userId = decodeURIComponent(name);
    const reply = await get(`/api/session/user/${name}`);
    expect(reply.status).toBe(200);
    expect(reply.json()).toEqual({ userId, isOnline: false, sessionCount: 0, sessions: [] });
    expect(reply.text).not.toMatch(/[\x00-\x1f\x7f]/);
  });

  it('ids found in Redis are harmless in an answer', async () => {
    foreign.set('\u001b[2J', 'evil\u202e');
    await redis.client.set('ws:session:\u001b[2J', 'evil\u202e', 'EX', 60);
    await redis.client.sadd('ws:sessions:all', '\u001b[2J', 'a:role');
    const { text } = await get('/api/session/all');
    expect(text).not.toMatch(/[\x00-\x1f\x7f\u202e]/);
    expect(JSON.parse(text)).toEqual({ totalCount: 1, sessions: ['\u001b[2J'] });
    const one = await get('/api/session/%1b%5B2J');
    expect(one.json()).toEqual({ sessionId: '\u001b[2J', userId: 'evil\u202e', userRole: null });
    expect(one.text).not.toContain('\u202e');
    await redis.client.srem('ws:sessions:all', 'a:role');
  });

  it.each(['127.0.0.1', 'localhost', 'LOCALHOST', '[::1]', '127.1.2.3'])('the Host %s may knock', async (host) => {
    expect((await get('/api/session/all', { host: `${host}:${serve.port}` })).status).toBe(200);
    expect((await get('/api/session/all', { host })).status).toBe(200);
    const client = await connectBare(serve.ws, [], { host: `${host}:${serve.port}` });
    expect(client.socket.readyState).toBe(1);
  });

  it.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example', '192.168.0.1', '0.0.0.0'])(
    'the Host %s is turned away with 403, by every door',
    async (host) => {
      for (const path of ['/api/session/all', '/healthz', '/nosuch']) {
        expectError(await get(path, { host }), 403, 'forbidden_origin');
      }
      await expect(connectBare(serve.ws, [], { host })).rejects.toThrow('HTTP 403');
    },
  );

  it.each(['http://evil.example', 'null', 'https://127.0.0.1.evil.example', 'http://localhost', 'file://', 'garbage'])(
    'the foreign Origin %s is turned away with 403, by every door',
    async (origin) => {
      const client = await talk(serve.ws, 'cust01');
      expectError(await get('/api/session/all', { origin }), 403, 'forbidden_origin');
      expectError(
        await ask(serve.port, `/api/session/${client.session}`, 'DELETE', { origin }),
        403,
        'forbidden_origin',
      );
      await expect(connectBare(serve.ws, [], { origin })).rejects.toThrow('HTTP 403');
      await client.sure('SEND', { destination: '/topic/alive' });
    },
  );

  it('an Origin of the same host may knock', async () => {
    for (const origin of [serve.url, 'http://127.0.0.1', 'http://127.0.0.1:3000']) {
      expect((await get('/api/session/all', { origin })).status).toBe(200);
      await connectBare(serve.ws, [], { origin });
    }
    const local = { host: 'localhost', origin: 'http://localhost:8080' };
    expect((await get('/api/session/all', local)).status).toBe(200);
    await connectBare(serve.ws, [], local);
  });

  it('WebSocket is served at /ws and /connection/websocket only', async () => {
    const url = serve.url.replace('http', 'ws');
    expect((await talk(`${url}/connection/websocket`, 'cust01')).session).not.toBe('');
    expect((await talk(`${url}/ws?token=x`, 'cust01')).session).not.toBe('');
    await expect(connectBare(`${url}/api/session/all`)).rejects.toThrow('HTTP 404');
    await expect(connectBare(`${url}/`)).rejects.toThrow('HTTP 404');
  });

  it('Redis gone: readyz and the routes are 503, healthz stays 200; Redis back: readyz is 200 again', async () => {
    await redis.kill();
    await until(async () => (await get('/readyz')).status === 503, 10_000, 'readyz to say 503');
    expectError(await get('/readyz'), 503, 'not_ready');
    expectError(await get('/api/session/all'), 503, 'redis_unreachable');
    expectError(await remove('/api/session/abc123'), 503, 'redis_unreachable');
    expect((await get('/healthz')).status).toBe(200);
    await redis.restart();
    await until(async () => (await get('/readyz')).status === 200, 25_000, 'readyz to say 200');
    expect((await get('/api/session/all')).status).toBe(200);
  });
});

describeWithRedis('REST, when the node of a session was killed', () => {
  let redis: TestRedis;
  let serve: Serve;
  let ghost: string;

  beforeAll(async () => {
    redis = await startRedis();
    let killed: Serve;
    [serve, killed] = await Promise.all([
      startServe(redis.url, ['--node', 'rest-a']),
      startServe(redis.url, ['--node', 'rest-b']),
    ]);
    ghost = (await talk(killed.ws, 'cust01')).session;
    await killed.stop('SIGKILL');
    dropClients();
  });
  afterAll(async () => {
    await serve?.stop();
    await redis?.stop();
  });

  it('DELETE is 504 node_unreachable once its lease has ended, and purge=true removes the keys', {
    timeout: 60_000,
  }, async () => {
    await until(async () => !(await redis.client.exists('ws:x:node:rest-b')), 40_000, 'the lease to end');
    const path = `/api/session/${ghost}`;
    expect(await ask(serve.port, path, 'DELETE')).toMatchObject({
      status: 504,
      text: `{"session_id":"${ghost}","user":"cust01","node":"rest-b","outcome":"node_unreachable"}`,
    });
    expect(await redis.client.get(`ws:session:${ghost}`)).toBe('cust01');
    expect(await ask(serve.port, `${path}?purge=true`, 'DELETE')).toMatchObject({
      status: 200,
      text: `{"session_id":"${ghost}","user":"cust01","node":"rest-b","outcome":"node_unreachable"}`,
    });
    // For its node, should it come back after all.
    expect(await redis.client.del(`ws:x:tombstone:${ghost}`)).toBe(1);
    await nothingLeft(redis);
  });
});
