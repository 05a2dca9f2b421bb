/** Who may come in: the key for clients and the tokens of REST, on a server as it is started. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { type AddressInfo, connect as connectRaw } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connect2, connect7, connectBare, dropClients } from '../helpers/clients.ts';
import { ask } from '../helpers/http.ts';
import { nothingLeft } from '../helpers/keys.ts';
import { everywhere, outside } from '../helpers/outside.ts';
import { type Serve, startServe, wssess } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { open, type Talk } from '../helpers/talk.ts';
import { forge, jwkOf, nowInSeconds, pemOf, rsaPair, SECRET, secretOf, sign, startIssuer } from '../helpers/tokens.ts';
import { until, within } from '../helpers/wait.ts';

const OPERATOR = 'operator-token-of-the-test';
const VIEWER = 'viewer-token-of-the-test';
const SECRETS = { WSSESS_JWT_SECRET: SECRET, WSSESS_API_TOKEN: OPERATOR, WSSESS_API_VIEWER_TOKEN: VIEWER };

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
if (!hasOpenssl && process.env.WSSESS_TEST_REQUIRE) throw new Error('openssl is not installed, and must be here');
const itWithOpenssl = hasOpenssl ? it : it.skip;

/** Sends the head of a request as it is, with a Host and Connection: close. @returns all that is answered */
function exchange(port: number, head: string): Promise<string> {
  const answered = new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = connectRaw(port, '127.0.0.1', () => socket.write(`${head}Host: x\r\nConnection: close\r\n\r\n`));
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    socket.on('error', reject).on('close', () => resolve(text));
  });
  return within(answered, 30_000, 'the answer');
}

describeWithRedis('access', () => {
  let redis: TestRedis;
  let serve: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    serve = await startServe(redis.url, ['--node', 'access-a', '--jwt-skew', '0', '--max-header', '64k'], SECRETS);
  });
  afterEach(async () => {
    dropClients();
    await nothingLeft(redis);
  });
  afterAll(async () => {
    await serve?.stop();
    await redis?.stop();
  });

  const connect = async (headers: Record<string, string>, ws = serve.ws): Promise<Talk> => {
    const client = await open(ws);
    client.say('CONNECT', { 'accept-version': '1.2', host: 'localhost', ...headers });
    return client;
  };
  const connected = async (claims: object, ws = serve.ws): Promise<Talk> => {
    const client = await connect({ Authorization: `Bearer ${await sign({ sub: 'kim', ...claims })}` }, ws);
    client.session = (await client.wait('CONNECTED')).header('session')!;
    return client;
  };
  /** The client got an ERROR as its last frame, then this close; nothing of the token is in what it was told. */
  const expectRefused = async (client: Talk, message: RegExp, code = 1008, cause = 'protocol_error') => {
    const error = await client.wait('ERROR');
    expect(error.header('message')).toMatch(message);
    expect(error.header('cause')).toBe(cause);
    expect((await client.closed).code).toBe(code);
    expect(client.frames().at(-1)?.command).toBe('ERROR');
    expect(client.frames('ERROR')).toHaveLength(1);
    expect(client.received()).not.toContain('eyJ');
  };

  describe('CONNECT', () => {
    it('a token by stompjs 7 (Authorization) and by stompjs 2 (passcode) registers its sub and role', async () => {
      const token = await sign({ sub: 'kim', role: 'AGENT' });
      const seven = await connect7(serve.ws, { Authorization: `Bearer ${token}` });
      const two = await connect2(serve.ws, { login: 'someone', passcode: token });
      for (const { session, connected: headers } of [seven, two]) {
        expect(headers['user-name']).toBe('kim');
        expect(redis.cli('GET', `ws:session:${session}`)).toBe('kim');
        expect(redis.cli('GET', `ws:session:${session}:role`)).toBe('AGENT');
      }
    });

    it('header trust is off: without a token nobody comes in', async () => {
      await expectRefused(await connect({ userId: 'admin', userRole: 'ADMIN' }), /no token/);
      await expectRefused(await connect({ login: 'admin', passcode: 'x' }), /no token/);
    });

    it('a token of another key, none at all, and one that has expired: token_expired, 4004', async () => {
      const other = await sign({ sub: 'kim' }, { key: secretOf('another secret of thirty-two bytes') });
      await expectRefused(await connect({ Authorization: other }), /no key/);
      await expectRefused(await connect({ Authorization: 'Bearer x.y.z' }), /token/);
      const old = await sign({ sub: 'kim', exp: nowInSeconds() - 1 });
      await expectRefused(await connect({ Authorization: old }), /expired/, 4004, 'token_expired');
    });

    it('token too long: refused as such where the header may be longer', async () => {
      const token = await sign({ sub: 'kim', filler: 'x'.repeat(20_000) });
      await expectRefused(await connect({ Authorization: token }), /8192/);
    });

    it('a header of a token that is no text anywhere is a refusal, and no fault of the server', async () => {
      const header = Buffer.from('{"alg":{"toString":1},"kid":{"toString":1}}').toString('base64url');
      await expectRefused(await connect({ Authorization: `${header}.e30.e30` }), /algorithm/);
      expect(serve.stderr()).not.toContain('TypeError');
    });

    it('of two Authorization headers the first counts, and no other spelling of it', async () => {
      const [kim, lee] = [await sign({ sub: 'kim' }), await sign({ sub: 'lee' })];
      const client = await open(serve.ws);
      const lines = `accept-version:1.2\nauthorization:${lee}\nAuthorization:${kim}\nAuthorization:${lee}\n\n\0`;
      client.send(`CONNECT\n${lines}`);
      expect((await client.wait('CONNECTED')).header('user-name')).toBe('kim');
      await expectRefused(await connect({ authorization: `Bearer ${kim}` }), /no token/);
    });

    it('a client of 1.0 pads its headers', async () => {
      const client = await open(serve.ws);
      client.send(`CONNECT\nlogin: x\npasscode: Bearer ${await sign({ sub: 'kim' })}\n\n\0`);
      expect((await client.wait('CONNECTED')).header('user-name')).toBe('kim');
    });

    it('a token that ends while Redis is slow: no CONNECTED, and nothing is left', async () => {
      const token = await sign({ sub: 'kim', exp: nowInSeconds() + 2 });
      redis.pause();
      try {
        const client = await connect({ Authorization: token });
        await expectRefused(client, /expired/, 4004, 'token_expired');
        expect(client.frames('CONNECTED')).toEqual([]);
      } finally {
        redis.resume();
      }
      await nothingLeft(redis);
    });

    it('a page of any origin may connect: its token says who it is', async () => {
      const client = await connectBare(serve.ws, [], { origin: 'https://app.test', host: 'chat.test' });
      expect(client.socket.readyState).toBe(1);
    });
  });

  describe('the session and its token', () => {
    it('ends when the token does: ERROR, token_expired, 4004, and is unregistered', async () => {
      const client = await connected({ exp: nowInSeconds() + 4 });
      await expectRefused(client, /expired/, 4004, 'token_expired');
      await nothingLeft(redis);
    });

    it('goes on with a new one, sent to /app/session/token', async () => {
      const exp = nowInSeconds() + 6;
      const [renewed, other] = [await connected({ exp }), await connected({ exp })];
      const token = await sign({ sub: 'kim', exp: exp + 3600 });
      await renewed.sure('SEND', { destination: '/app/session/token', Authorization: `Bearer ${token}` });
      await expectRefused(other, /expired/, 4004, 'token_expired');
      await renewed.sure('SEND', { destination: '/topic/alive' });
    });

    it.each([
      ['another sub', { sub: 'lee' }, /another user/, 1008, 'protocol_error'],
      ['another role', { role: 'ADMIN' }, /another role/, 1008, 'protocol_error'],
      ['the past', { exp: 1000 }, /expired/, 4004, 'token_expired'],
    ])('a new one of %s is an ERROR', async (_, claims, message, code, cause) => {
      const client = await connected({});
      const token = await sign({ sub: 'kim', ...claims });
      client.say('SEND', { destination: '/app/session/token', Authorization: token });
      await expectRefused(client, message, code, cause);
    });

    it('a token in SUBSCRIBE is checked again, in any other frame nobody looks', async () => {
      const client = await connected({});
      await client.sure('SUBSCRIBE', { id: '1', destination: '/topic/a', Authorization: await sign({ sub: 'kim' }) });
      await client.sure('SUBSCRIBE', { id: '2', destination: '/topic/b' });
      await client.sure('SEND', { destination: '/topic/a', Authorization: 'nonsense' }, 'hello');
      expect((await client.wait('MESSAGE')).body.toString()).toBe('hello');
      client.say('SUBSCRIBE', { id: '3', destination: '/topic/c', Authorization: await sign({ sub: 'lee' }) });
      await expectRefused(client, /another user/);
    });

    it('a token in SUBSCRIBE that has expired, or is none, ends the session', async () => {
      const past = await sign({ sub: 'kim', exp: nowInSeconds() - 1 });
      for (const [token, message, code, cause] of [
        [past, /expired/, 4004, 'token_expired'],
        ['nonsense', /no token/, 1008, 'protocol_error'],
      ] as const) {
        const client = await connected({});
        client.say('SUBSCRIBE', { id: '1', destination: '/topic/a', Authorization: token });
        await expectRefused(client, message, code, cause);
      }
    });

    it('a new one in a transaction is an ERROR, and so is one that a passcode carries', async () => {
      const token = await sign({ sub: 'kim' });
      for (const [headers, message] of [
        [{ Authorization: token, transaction: 't' }, /no transaction/],
        [{ passcode: token }, /no token in SEND/],
      ] as const) {
        const client = await connected({});
        await client.sure('BEGIN', { transaction: 't' });
        client.say('SEND', { destination: '/app/session/token', ...headers });
        await expectRefused(client, message);
      }
    });

    it('a subscription whose token is good is there before its receipt, and in its place', async () => {
      const client = await connected({});
      const token = await sign({ sub: 'kim' });
      client.say('SUBSCRIBE', { id: '1', destination: '/topic/order', Authorization: token });
      client.say('SEND', { destination: '/topic/order' }, 'right behind it');
      expect((await client.wait('MESSAGE')).body.toString()).toBe('right behind it');
    });
  });

  describe('REST', () => {
    const call = (path: string, method = 'GET', token?: string, headers: Record<string, string> = {}) =>
      ask(serve.port, path, method, { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) });

    it.each(['/api/session/all', '/api/session/stats', '/api/session/user/kim', '/api/session/user/kim/online'])(
      'GET %s: 200 for operator and viewer, else 401 with a challenge',
      async (path) => {
        for (const token of [OPERATOR, VIEWER]) expect((await call(path, 'GET', token)).status).toBe(200);
        expect(await call(path)).toMatchObject({
          status: 401,
          headers: { 'www-authenticate': 'Bearer realm="wssess"' },
        });
        for (const token of ['x', `${OPERATOR}x`, OPERATOR.slice(1), OPERATOR.toUpperCase(), SECRET, '']) {
          const reply = await call(path, 'GET', token);
          expect(reply.status).toBe(401);
          expect(reply.json().error).toMatchObject({ code: 'unauthorized', advice: expect.any(String) });
          expect(reply.text).not.toContain(OPERATOR);
        }
        const wrong = await call(path, 'GET', 'x');
        expect(wrong.headers['www-authenticate']).toBe('Bearer realm="wssess", error="invalid_token"');
        const basic = Buffer.from(`:${OPERATOR}`).toString('base64');
        expect((await call(path, 'GET', undefined, { authorization: `Basic ${basic}` })).status).toBe(401);
        expect((await call(`${path}?access_token=${OPERATOR}`)).status).toBe(401);
        expect((await call(path, 'HEAD')).status).toBe(401);
      },
    );

    it('of two Authorization headers the first counts; a token among others, or in another scheme, is none', async () => {
      const twice = await exchange(
        serve.port,
        `GET /api/session/stats HTTP/1.1\r\nAuthorization: Bearer x\r\nAuthorization: Bearer ${OPERATOR}\r\n`,
      );
      expect(twice).toMatch(/^HTTP\/1\.1 401 /);
      for (const value of [OPERATOR, `Bearer x ${OPERATOR}`, `Bearer ${OPERATOR},x`, `Bearer${OPERATOR}`, 'Bearer']) {
        expect((await call('/api/session/stats', 'GET', undefined, { authorization: value })).status).toBe(401);
      }
      for (const scheme of ['bearer', 'BEARER', 'Bearer ']) {
        const headers = { authorization: `${scheme} ${OPERATOR}` };
        expect((await call('/api/session/stats', 'GET', undefined, headers)).status).toBe(200);
      }
    });

    it.each([
      ['two lengths', 'GET /healthz HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n'],
      ['a header with a space before its colon', `GET /healthz HTTP/1.1\r\nAuthorization : Bearer ${OPERATOR}\r\n`],
      ['a coding that nobody knows', 'POST /healthz HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n'],
    ])('%s, which a proxy may read otherwise, is 400', async (_, head) => {
      expect(await exchange(serve.port, head)).toMatch(/^HTTP\/1\.1 400 /);
    });

    it('DELETE needs an operator: 403 for a viewer, 401 for nobody, and the session lives', async () => {
      const { session, ...client } = await connected({});
      const path = `/api/session/${session}`;
      const viewer = await call(path, 'DELETE', VIEWER);
      expect(viewer.status).toBe(403);
      expect(viewer.json().error).toMatchObject({ code: 'needs_operator', advice: expect.any(String) });
      expect(viewer.headers['www-authenticate']).toContain('insufficient_scope');
      expect((await call(path, 'DELETE')).status).toBe(401);
      expect((await call(path, 'GET', VIEWER)).json().userId).toBe('kim');
      expect((await call(path, 'DELETE', OPERATOR)).json().outcome).toBe('kicked');
      expect((await client.closed).code).toBe(4001);
    });

    it('POST refresh, /healthz and /readyz need none', async () => {
      const { session } = await connected({});
      expect((await call(`/api/session/${session}/refresh`, 'POST')).json().refreshed).toBe(true);
      for (const path of ['/healthz', '/readyz']) expect((await call(path)).status).toBe(200);
    });

    it('with a token set any Host and Origin will do; without one they are looked at, whatever clients need', async () => {
      const foreign = { host: 'chat.test', origin: 'https://admin.test' };
      expect((await call('/api/session/stats', 'GET', VIEWER, foreign)).status).toBe(200);
      const half = await startServe(redis.url, ['--node', 'access-b'], { WSSESS_JWT_SECRET: SECRET });
      expect((await ask(half.port, '/api/session/stats', 'GET', foreign)).status).toBe(403);
      expect((await ask(half.port, '/api/session/stats')).status).toBe(200);
      await half.stop();
    });

    it('with a token of REST alone clients are trusted by their headers, and their Host and Origin looked at', async () => {
      const half = await startServe(redis.url, ['--node', 'access-b'], { WSSESS_API_TOKEN: OPERATOR });
      expect((await ask(half.port, '/api/session/stats')).status).toBe(401);
      await (await connect({ userId: 'kim' }, half.ws)).wait('CONNECTED');
      await expect(connectBare(half.ws, [], { origin: 'https://evil.test' })).rejects.toThrow('403');
      dropClients();
      await half.stop();
    });
  });

  describe('starting', () => {
    const start = (args: string[], env: Record<string, string> = {}) =>
      wssess(['serve', '--port', '0', ...args], { env: { WSSESS_REDIS_URL: redis.url, ...env } });
    const { WSSESS_API_TOKEN, WSSESS_JWT_SECRET } = SECRETS;

    it.each([
      ['neither', {}, /no key for clients and no token for REST/],
      ['no key', { WSSESS_API_TOKEN }, /no key for clients\./],
      ['no token', { WSSESS_JWT_SECRET }, /no token for REST\./],
    ])('off loopback with %s is refused', async (_, env, why) => {
      for (const host of ['0.0.0.0', '::', '10.0.0.1']) {
        const { code, stderr } = await start(['--host', host], env as Record<string, string>);
        expect(code).toBe(2);
        expect(stderr).toMatch(why);
        expect(stderr).toContain('--insecure');
      }
    });

    it('off loopback with both it starts, and warns of nothing', async () => {
      const both = { WSSESS_JWT_SECRET, WSSESS_API_VIEWER_TOKEN: VIEWER };
      const far = await startServe(redis.url, ['--host', '0.0.0.0', '--node', 'access-c'], both);
      expect((await ask(far.port, '/api/session/stats', 'GET', { authorization: `Bearer ${VIEWER}` })).status).toBe(
        200,
      );
      expect((await ask(far.port, '/api/session/stats')).status).toBe(401);
      await far.stop();
      expect(far.stderr()).not.toMatch(/warn/);
    });

    it('--insecure starts it all the same, and says what is open; a page of another host stays out', async () => {
      const far = await startServe(redis.url, ['--host', '0.0.0.0', '--insecure', '--node', 'access-d']);
      await until(() => /clients need no token.*anyone.*\n.*REST needs no token.*anyone/.test(far.stderr()));
      await (await connect({ userId: 'kim' }, `ws://127.0.0.1:${far.port}/ws`)).wait('CONNECTED');
      const ws = `ws://127.0.0.1:${far.port}/ws`;
      expect((await ask(far.port, '/healthz', 'GET', { host: 'chat.test' })).status).toBe(200);
      await expect(connectBare(ws, [], { origin: 'https://evil.test' })).rejects.toThrow('403');
      for (const [host, status] of [
        ['', 403],
        ['a b', 400],
        ['chat.test', 403],
      ] as const) {
        expect((await ask(far.port, '/healthz', 'GET', { host, origin: 'null' })).status).toBe(status);
      }
      dropClients();
      await far.stop();
    });

    it.skipIf(outside().length === 0)(
      'at an address of this machine that others reach: tokens, and nothing else',
      async () => {
        const far = await startServe(redis.url, ['--host', everywhere(), '--node', 'access-g'], SECRETS);
        for (const host of outside()) {
          const url = `http://${host.includes(':') ? `[${host}]` : host}:${far.port}`;
          expect((await fetch(`${url}/api/session/stats`)).status).toBe(401);
          const headers = { authorization: `Bearer ${VIEWER}` };
          expect((await fetch(`${url}/api/session/stats`, { headers })).status).toBe(200);
          const ws = `${url.replace('http', 'ws')}/ws`;
          await expectRefused(await connect({ userId: 'admin' }, ws), /no token/);
          const late = nowInSeconds() - 10; // within the skew that a server gives unless told otherwise
          await (await connect({ passcode: await sign({ sub: 'kim', exp: late }) }, ws)).wait('CONNECTED');
          // The server of the other tests was started without --host.
          await expect(fetch(url.replace(`:${far.port}`, `:${serve.port}`))).rejects.toThrow('fetch failed');
        }
        dropClients();
        await far.stop();
      },
    );

    it.each<[string, string[], Record<string, string>, RegExp]>([
      ['a secret of 31 bytes', [], { WSSESS_JWT_SECRET: 'x'.repeat(31) }, /WSSESS_JWT_SECRET.*32 bytes/],
      ['a public key in place of the secret', [], { WSSESS_JWT_SECRET: pemOf(rsaPair().publicKey) }, /PEM.*no secret/],
      ['a JWKS URL with a password', [], { WSSESS_JWKS_URL: 'https://me:secret@issuer.test/' }, /user or a password/],
      ['two keys', ['--jwks-url', 'https://issuer.test/'], { WSSESS_JWT_SECRET }, /more than one key/],
      ['an issuer and no key', ['--jwt-issuer', 'https://issuer.test/'], {}, /no key/],
      ['--allow-no-exp and no key', ['--allow-no-exp'], {}, /no key/],
      ['JWKS by http', ['--jwks-url', 'http://issuer.test/'], {}, /JWKS URL.*https/],
      ['a key file that is not there', ['--jwt-public-key', 'no-such-file.pem'], {}, /no-such-file.pem: ENOENT/],
      ['one token for both roles', [], { WSSESS_API_TOKEN, WSSESS_API_VIEWER_TOKEN: OPERATOR }, /the same/],
    ])('%s is a usage error that shows no secret', async (_, args, env, why) => {
      const { code, stdout, stderr } = await start(args, env);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(why);
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
      for (const secret of Object.values(env)) expect(stderr).not.toContain(secret);
      expect(stderr).not.toContain('me:secret');
    });

    it('the key of a file, and a key set', async () => {
      const [pair, folder] = [rsaPair(), mkdtempSync(join(tmpdir(), 'wssess-key-'))];
      const file = join(folder, 'key.pem');
      writeFileSync(file, pemOf(pair.publicKey));
      const issuer = await startIssuer([await jwkOf(pair.publicKey, { kid: 'a' })]);
      const token = await sign(
        { sub: 'kim', iss: 'me', aud: 'chat' },
        { alg: 'RS256', kid: 'a', key: pair.privateKey },
      );
      const claims = ['--jwt-issuer', 'me', '--jwt-audience', 'chat', '--node', 'access-e'];
      for (const key of [
        ['--jwt-public-key', file],
        ['--jwks-url', issuer.url],
      ]) {
        const keyed = await startServe(redis.url, [...key, ...claims]);
        await (await connect({ Authorization: token }, keyed.ws)).wait('CONNECTED');
        await expectRefused(await connect({ Authorization: await sign({ sub: 'kim' }) }, keyed.ws), /algorithm/);
        dropClients();
        await keyed.stop();
      }
      expect(issuer.fetches).toBe(1);
      await issuer.close();
      rmSync(folder, { recursive: true });
    });

    it('--jwt-issuer, --jwt-audience, --jwt-role-claim and --allow-no-exp say what a token must have', async () => {
      const rules = ['--jwt-issuer', 'me', '--jwt-audience', 'chat', '--jwt-role-claim', 'groups', '--allow-no-exp'];
      const strict = await startServe(redis.url, [...rules, '--node', 'access-j'], { WSSESS_JWT_SECRET });
      const claims = { sub: 'kim', iss: 'me', aud: ['other', 'chat'], groups: ['AGENT', 'X'], role: 'ADMIN' };
      const { session } = await connected({ ...claims, exp: undefined }, strict.ws);
      expect(redis.cli('GET', `ws:session:${session}:role`)).toBe('AGENT');
      for (const [wrong, message] of [
        [{ iss: 'you' }, /iss is not/],
        [{ iss: undefined }, /iss is missing/],
        [{ aud: 'other' }, /aud is not/],
        [{ exp: 1 }, /expired/],
      ] as const) {
        const [code, cause] = 'exp' in wrong ? [4004, 'token_expired'] : [1008, 'protocol_error'];
        const client = await connect({ passcode: forge({ alg: 'HS256' }, { ...claims, ...wrong }, SECRET) }, strict.ws);
        await expectRefused(client, message, code as number, cause as string);
      }
      dropClients();
      await strict.stop();
    });

    it('a key set that cannot be reached: it starts, and clients are told to come again (1013)', async () => {
      const keyed = await startServe(redis.url, [
        '--jwks-url',
        'http://127.0.0.1:1/?secret=hidden',
        '--node',
        'access-f',
      ]);
      const token = await sign({ sub: 'kim' }, { alg: 'RS256', key: rsaPair().privateKey });
      await expectRefused(await connect({ Authorization: token }, keyed.ws), /later/, 1013, 'closed');
      await until(() => keyed.stderr().includes("the keys of clients' tokens can't be fetched"));
      expect(keyed.stderr()).not.toContain('hidden');
      await keyed.stop();
    });

    it('a key set that never answers: the end does not wait for it', async () => {
      const issuer = await startIssuer();
      issuer.answer = () => {};
      const keyed = await startServe(redis.url, ['--jwks-url', issuer.url, '--node', 'access-h']);
      await until(() => issuer.fetches > 0);
      expect(await keyed.stop()).toBe(0);
      expect(keyed.stderr()).not.toContain('answer in time'); // what it says when it has waited
      await issuer.close();
    });

    itWithOpenssl('a key set by https: only of a server whose certificate is vouched for', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'wssess-tls-'));
      const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
      const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
      const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
      execFileSync('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', keyFile, '-out', certFile], {
        stdio: 'ignore',
      });
      const pair = rsaPair();
      const keys = JSON.stringify({ keys: [await jwkOf(pair.publicKey)] });
      const tls = { key: readFileSync(keyFile), cert: readFileSync(certFile) };
      const issuer = createServer(tls, (_, response) => response.end(keys));
      await new Promise<void>((resolve) => issuer.listen(0, '127.0.0.1', resolve));
      const url = `https://localhost:${(issuer.address() as AddressInfo).port}/`;
      const token = await sign({ sub: 'kim' }, { alg: 'RS256', key: pair.privateKey });
      for (const known of [false, true]) {
        const env = { WSSESS_JWKS_URL: url, ...(known && { NODE_EXTRA_CA_CERTS: certFile }) };
        const keyed = await startServe(redis.url, ['--node', 'access-i'], env);
        const client = await connect({ Authorization: token }, keyed.ws);
        if (known) await client.wait('CONNECTED');
        else {
          await expectRefused(client, /later/, 1013, 'closed');
          expect(keyed.stderr()).toContain('SELF_SIGNED_CERT');
        }
        dropClients();
        await keyed.stop();
      }
      await new Promise((resolve) => issuer.close(resolve));
      rmSync(folder, { recursive: true });
    });
  });

  it('secrets are nowhere: not in what serve prints, not in ps, not in config, and no flag takes them', async () => {
    await connected({});
    await expectRefused(await connect({ Authorization: 'x' }), /token/);
    await ask(serve.port, '/api/session/all', 'GET', { authorization: `Bearer ${OPERATOR}` });
    const ps = readFileSync(`/proc/${serve.process.pid}/cmdline`, 'utf8');
    for (const format of ['table', 'json', 'jsonl']) {
      const config = await wssess(['config', '-o', format], {
        env: { ...SECRETS, WSSESS_JWKS_URL: 'https://me:hidden@issuer.test/?key=hidden' },
      });
      expect(config.stdout).toContain('****');
      expect(config.stdout + config.stderr).not.toContain('hidden');
      for (const secret of Object.values(SECRETS)) {
        expect(config.stdout + config.stderr + serve.stdout() + serve.stderr() + ps).not.toContain(secret);
      }
    }
    const help = (await wssess(['serve', '--help'])).stdout;
    expect(help).not.toMatch(/--(jwt-secret|api-token|api-viewer-token)/);
    expect(help).toContain('WSSESS_JWT_SECRET');
  });
});
