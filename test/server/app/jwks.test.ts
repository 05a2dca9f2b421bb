/** A key set of an issuer: what is asked for it and how often, rotation, outage, and what it must not be talked into. */
import { createSign } from 'node:crypto';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createRawServer } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { WssessError } from '../../../src/common/errors.ts';
import { KeySet } from '../../../src/server/app/jwks.ts';
import { verifyToken } from '../../../src/server/app/jwt.ts';
import { faultOf } from '../../helpers/floor.ts';
import {
  ecPair,
  forge,
  type Issuer,
  jwkOf,
  nowInSeconds,
  type Pair,
  pemOf,
  rsaPair,
  sign,
  startIssuer,
} from '../../helpers/tokens.ts';
import { until, within } from '../../helpers/wait.ts';

const COOLDOWN = 30_000;
const MAX_AGE = 600_000;
const [one, two, ec] = [rsaPair(), rsaPair(), ecPair()];

let issuer: Issuer;
let clock: number;
let faults: WssessError[];
let set: KeySet;

const keySet = (url = issuer.url, timeout = 5000) =>
  new KeySet(url, { fault: (error) => faults.push(error), now: () => clock, timeout });
const verify = async (token: string, keys = set) => {
  const rules = { keys, issuer: undefined, audience: undefined, skew: 0, roleClaim: 'role', allowNoExp: false };
  return (await verifyToken(token, rules, Date.now())).user;
};
const signed = ({ privateKey }: Pair, header: object = {}) =>
  sign({ sub: 'kim' }, { alg: 'RS256', key: privateKey, ...header });

beforeEach(async () => {
  issuer = await startIssuer([await jwkOf(one.publicKey, { kid: 'one', alg: 'RS256', use: 'sig' })]);
  clock = 0;
  faults = [];
  set = keySet();
});
afterEach(() => issuer.close());

describe('a key set', () => {
  test('is fetched once for many clients at once, and not for the next ones', async () => {
    const token = await signed(one, { kid: 'one' });
    expect(await Promise.all(Array.from({ length: 20 }, () => verify(token)))).toEqual(Array(20).fill('kim'));
    clock = MAX_AGE - 1;
    expect(await verify(token)).toBe('kim');
    expect(issuer.fetches).toBe(1);
  });

  test('is there before the first client when the server starts', async () => {
    set.start();
    expect(await verify(await signed(one, { kid: 'one' }))).toBe('kim');
    expect(issuer.fetches).toBe(1);
  });

  test('a token without kid is tried with each key of its kind, keys of other kinds do no harm', async () => {
    issuer.keys = [
      { kty: 'unknown', kid: 'x' },
      {},
      await jwkOf(ec.publicKey),
      { kty: 'RSA', n: 'broken', e: '!' },
      await jwkOf(two.publicKey),
      await jwkOf(one.publicKey),
    ];
    expect(await verify(await signed(one))).toBe('kim');
    expect(await verify(await signed(two))).toBe('kim');
    expect(await verify(await sign({ sub: 'lee' }, { alg: 'ES256', key: ec.privateKey }))).toBe('lee');
    await expect(verify(await signed(rsaPair()))).rejects.toThrow('no key of this server');
  });
});

describe('which key of a set', () => {
  test('two keys of one kid: each is tried', async () => {
    issuer.keys = [await jwkOf(one.publicKey, { kid: 'k' }), await jwkOf(two.publicKey, { kid: 'k' })];
    for (const pair of [one, two]) expect(await verify(await signed(pair, { kid: 'k' }))).toBe('kim');
    await expect(verify(await signed(rsaPair(), { kid: 'k' }))).rejects.toThrow('no key of this server');
  });

  test('without kid eight keys of a kind are tried, no more; by its kid any is found', async () => {
    const pairs = Array.from({ length: 9 }, () => ecPair());
    issuer.keys = await Promise.all(pairs.map(({ publicKey }, i) => jwkOf(publicKey, { kid: `k${i}` })));
    const by = (i: number, kid?: string) =>
      sign({ sub: 'kim' }, { alg: 'ES256', key: pairs[i]!.privateKey, ...(kid !== undefined && { kid }) });
    expect(await verify(await by(7))).toBe('kim');
    await expect(verify(await by(8))).rejects.toThrow('no key of this server');
    expect(await verify(await by(8, 'k8'))).toBe('kim');
  });

  test.each(['', '__proto__', 'toString', 'ONE', 'one ', '열쇠', "one' OR '1'='1", '../one', 'x'.repeat(5000)])(
    'kid %j is compared with those of the set, and nothing else',
    async (kid) => {
      await expect(verify(await signed(one, { kid }))).rejects.toThrow('no key of this server');
    },
  );

  test.each<[string, object]>([
    ['for signing', { key_ops: ['sign'] }],
    ['for encryption', { key_ops: ['encrypt', 'wrapKey'] }],
    ['with operations that are no list', { key_ops: 'verify' }],
    ['for encryption by its use', { use: 'enc' }],
    ['of another algorithm', { alg: 'RS512' }],
    ['for secrets by its alg', { alg: 'HS256' }],
    ['of a kind that it is not', { kty: 'oct' }],
  ])('a key %s signs no token', async (_, more) => {
    issuer.keys = [await jwkOf(one.publicKey, { kid: 'one', ...more })];
    await expect(verify(await signed(one, { kid: 'one' }))).rejects.toThrow('no key of this server');
    await expect(verify(await signed(one))).rejects.toThrow('no key of this server');
  });

  test('a key for verifying does', async () => {
    issuer.keys = [await jwkOf(one.publicKey, { kid: 'one', key_ops: ['verify'], use: 'sig', alg: 'RS256' })];
    expect(await verify(await signed(one, { kid: 'one' }))).toBe('kim');
  });

  test('a private key that was published by mistake, and RSA of 1,024 bits, are of no use', async () => {
    const weak = rsaPair(1024);
    issuer.keys = [await jwkOf(one.privateKey, { kid: 'one' }), await jwkOf(weak.publicKey, { kid: 'weak' })];
    await expect(verify(await signed(one, { kid: 'one' }))).rejects.toThrow('no key of this server');
    const [header, claims] = (await signed(one, { kid: 'weak' })).split('.');
    const signature = createSign('sha256').update(`${header}.${claims}`).sign(weak.privateKey).toString('base64url');
    await expect(verify(`${header}.${claims}.${signature}`)).rejects.toThrow('no key of this server');
  });
});

describe('JWKS rotation', () => {
  test('a new kid is fetched at once when the last fetch was 30 s ago; both keys hold', async () => {
    await verify(await signed(one, { kid: 'one' }));
    issuer.keys.push(await jwkOf(two.publicKey, { kid: 'two' }));
    clock = COOLDOWN;
    expect(await verify(await signed(two, { kid: 'two' }))).toBe('kim');
    expect(await verify(await signed(one, { kid: 'one' }))).toBe('kim');
    expect(issuer.fetches).toBe(2);
  });

  test('a key that took the place of another without any kid is found by its signature', async () => {
    issuer.keys = [await jwkOf(one.publicKey)];
    expect(await verify(await signed(one))).toBe('kim');
    issuer.keys = [await jwkOf(two.publicKey)];
    clock = COOLDOWN;
    expect(await verify(await signed(two))).toBe('kim');
    await expect(verify(await signed(one))).rejects.toThrow('no key of this server');
  });

  test('at most one fetch in 30 s, whatever kids clients make up', async () => {
    await verify(await signed(one, { kid: 'one' }));
    for (clock = 0; clock < 3 * COOLDOWN; clock += COOLDOWN / 10) {
      await expect(verify(await signed(two, { kid: `made up ${clock}` }))).rejects.toThrow('no key of this server');
    }
    expect(issuer.fetches).toBe(3);
  });

  test('and one for many unknown kids at once, while the known ones wait for nobody', async () => {
    await verify(await signed(one, { kid: 'one' }));
    clock = COOLDOWN;
    const answers: (() => void)[] = [];
    issuer.answer = (respond) => answers.push(() => respond(200, JSON.stringify({ keys: issuer.keys })));
    const unknown = await Promise.all(Array.from({ length: 50 }, (_, i) => signed(two, { kid: `unknown ${i}` })));
    const refused = Promise.allSettled(unknown.map((token) => verify(token)));
    await until(() => answers.length > 0);
    expect(await verify(await signed(one, { kid: 'one' }))).toBe('kim');
    answers[0]!();
    expect((await refused).map(({ status }) => status)).toEqual(Array(50).fill('rejected'));
    expect(issuer.fetches).toBe(2);
  });

  test('a key that was withdrawn is no longer taken after 10 minutes', async () => {
    const token = await signed(one, { kid: 'one' });
    await verify(token);
    issuer.keys = [await jwkOf(two.publicKey, { kid: 'two' })];
    clock = MAX_AGE;
    await expect(verify(token)).rejects.toThrow('no key of this server');
  });
});

describe('JWKS outage', () => {
  test.each<[string, Issuer['answer'], RegExp]>([
    ['an error', (respond) => respond(500, 'down'), /500/],
    ['a page', (respond) => respond(200, '<html>'), /no JSON/],
    ['no key set', (respond) => respond(200, '{"keys":7}'), /malformed/],
    ['a list', (respond) => respond(200, '[]'), /malformed/],
    ['nothing', (respond) => respond(204, ''), /204/],
    ['JSON without a bottom', (respond) => respond(200, `{"keys":[${'['.repeat(400_000)}`), /no JSON/],
    ['no answer', () => {}, /not answer in time/],
  ])('%s: the keys that were fetched go on, and the log says so', async (_, answer, why) => {
    set = keySet(issuer.url, 200);
    const token = await signed(one, { kid: 'one' });
    await verify(token);
    issuer.answer = answer;
    clock = MAX_AGE;
    expect(await verify(token)).toBe('kim');
    expect(faults.map(({ code }) => code)).toEqual(['keys_unreachable']);
    expect(faults[0]?.message).toMatch(why);
    expect(faults[0]?.message).toContain('are kept');
    issuer.answer = undefined;
    issuer.keys = [await jwkOf(two.publicKey, { kid: 'two' })];
    clock += COOLDOWN;
    expect(await verify(await signed(two, { kid: 'two' }))).toBe('kim');
  });

  test('from the beginning: clients are told to come again, one attempt in 30 s, and it heals', async () => {
    const { url } = issuer;
    await issuer.close();
    const token = await signed(one, { kid: 'one' });
    set = keySet(`${url}?secret=hidden`);
    for (let i = 0; i < 3; i++) await expect(verify(token)).rejects.toMatchObject({ code: 'keys_unreachable' });
    expect(faults).toHaveLength(1);
    expect(faults[0]?.message).toMatch(/ECONNREFUSED/);
    // Whatever is logged last says why: the fault itself is told once in 30 s.
    await expect(verify(token)).rejects.toThrow('ECONNREFUSED');
    expect(faults[0]?.message).not.toContain('hidden');
    issuer = await startIssuer([await jwkOf(one.publicKey, { kid: 'one' })]);
    const healed = createServer((_, response) => response.end(JSON.stringify({ keys: issuer.keys })));
    await new Promise<void>((resolve) => healed.listen(Number(new URL(url).port), '127.0.0.1', resolve));
    clock = COOLDOWN;
    expect(await verify(token)).toBe('kim');
    await new Promise((resolve) => healed.close(resolve));
  });
});

describe('what a key set must not be talked into', () => {
  test('algorithm confusion: HS256 with a published key, as PEM or JWK, or with a secret (oct) in the set', async () => {
    const oct = {
      kty: 'oct',
      k: Buffer.from('a secret that the set should not hold').toString('base64url'),
      kid: 'oct',
    };
    issuer.keys.push(oct);
    const claims = { sub: 'admin', exp: nowInSeconds() + 60 };
    for (const secret of [pemOf(one.publicKey), JSON.stringify(issuer.keys[0]), Buffer.from(oct.k, 'base64url')]) {
      for (const kid of ['one', 'oct', undefined]) {
        await expect(verify(forge({ alg: 'HS256', kid }, claims, secret))).rejects.toThrow(/algorithm "HS256"/);
      }
    }
    expect(issuer.fetches).toBe(0);
  });

  test('none, and a kid that names a key of another kind, or one that is for encryption', async () => {
    issuer.keys.push(await jwkOf(two.publicKey, { kid: 'two', use: 'enc' }), await jwkOf(ec.publicKey, { kid: 'ec' }));
    const claims = { sub: 'admin', exp: nowInSeconds() + 60 };
    await expect(verify(forge({ alg: 'none', kid: 'one' }, claims))).rejects.toThrow(/algorithm/);
    await expect(verify(await signed(two, { kid: 'two' }))).rejects.toThrow('no key of this server');
    await expect(verify(await signed(two, { kid: 'ec' }))).rejects.toThrow('no key of this server');
    await expect(verify(await signed(two, { kid: 'one' }))).rejects.toThrow('no key of this server');
  });

  test('an algorithm that the key is not for: alg of the JWK', async () => {
    await expect(verify(await signed(one, { kid: 'one', alg: 'PS256' }))).rejects.toThrow('no key of this server');
  });

  test('jku, x5u, jwk, x5c: nothing but the address of the settings is ever asked', async () => {
    const evil = await startIssuer([await jwkOf(two.publicKey, { kid: 'one' })]);
    const jwk = await jwkOf(two.publicKey, { kid: 'one' });
    for (const header of [{ jku: evil.url }, { x5u: evil.url }, { jwk }, { x5c: ['AAAA'] }, { kid: evil.url }]) {
      await expect(verify(await signed(two, { kid: 'one', ...header }))).rejects.toThrow('no key of this server');
    }
    expect(evil.fetches).toBe(0);
    await evil.close();
  });

  test('a redirect is not followed', async () => {
    const other = await startIssuer([await jwkOf(one.publicKey, { kid: 'one' })]);
    issuer.answer = (respond) => respond(302, '', { location: other.url });
    await expect(verify(await signed(one, { kid: 'one' }))).rejects.toMatchObject({ code: 'keys_unreachable' });
    expect(other.fetches).toBe(0);
    expect(faults[0]?.message).toMatch(/answers 302, and no redirect is followed/);
    await other.close();
  });

  test('more than 1 MiB is not read to its end', async () => {
    let sent = 0;
    const endless = createServer((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536))) sent += 65_536;
      };
      response.on('drain', more);
      more();
    });
    await new Promise<void>((resolve) => endless.listen(0, '127.0.0.1', resolve));
    const keys = keySet(`http://127.0.0.1:${(endless.address() as AddressInfo).port}/`);
    await expect(verify(await signed(one), keys)).rejects.toMatchObject({ code: 'keys_unreachable' });
    expect(faults[0]?.message).toMatch(/larger than 1048576/);
    endless.closeAllConnections();
    await new Promise((resolve) => endless.close(resolve));
    expect(sent).toBeLessThan(64 << 20);
  });

  test('an answer that drips is cut', async () => {
    const dripping = createServer((_, response) => {
      response.write('{');
      const drip = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(drip));
    });
    await new Promise<void>((resolve) => dripping.listen(0, '127.0.0.1', resolve));
    const keys = keySet(`http://127.0.0.1:${(dripping.address() as AddressInfo).port}/`, 200);
    await expect(verify(await signed(one), keys)).rejects.toMatchObject({ code: 'keys_unreachable' });
    expect(faults[0]?.message).toMatch(/in time/);
    dripping.closeAllConnections();
    await new Promise((resolve) => dripping.close(resolve));
  });

  test('whatever JSON it is: keys, or the word that there are none; never a fault of the server', async () => {
    const jwk = (await jwkOf(one.publicKey)) as Record<string, string>;
    const odd = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom('RSA', 'EC', 'oct', 'OKP', 'AKP', 'P-256', jwk.n, jwk.e, 'AQ'),
    );
    const names = ['kty', 'n', 'e', 'd', 'k', 'x', 'y', 'crv', 'alg', 'use', 'key_ops', 'kid', 'ext', '__proto__'];
    const key = fc.record(Object.fromEntries(names.map((name) => [name, odd])), { requiredKeys: [] });
    const keyOrHalf = fc.oneof(
      key,
      key.map((some) => ({ ...jwk, ...some })),
      fc.jsonValue(),
    );
    const token = await signed(one);
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.jsonValue(), fc.record({ keys: fc.array(keyOrHalf) })), async (body) => {
        issuer.answer = (respond) => respond(200, JSON.stringify(body));
        const told = await verify(token, keySet()).catch((error) => error.code ?? error);
        expect(['kim', 1008, 'keys_unreachable']).toContain(told);
      }),
      { numRuns: 200 },
    );
  });

  test.each<[string, string]>([
    ['a switch to another protocol', 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n'],
    ['no end of preliminaries', 'HTTP/1.1 100 Continue\r\n\r\n'],
    ['an answer that breaks off', 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"keys":['],
    ['what is not HTTP', '\0\0\0\r\n\r\n'],
    ['a head without an end', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(99_999)}`],
  ])('%s: no client waits for ever, and it heals', async (_, answer) => {
    let broken = true;
    const raw = createRawServer((socket) => {
      socket.on('error', () => {});
      const keys = JSON.stringify({ keys: issuer.keys });
      socket.once('data', () => {
        if (broken) socket.write(answer);
        else socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(keys)}\r\n\r\n${keys}`);
      });
    });
    await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve));
    const keys = keySet(`http://127.0.0.1:${(raw.address() as AddressInfo).port}/`, 200);
    const token = await signed(one, { kid: 'one' });
    await within(
      expect(verify(token, keys)).rejects.toMatchObject({ code: 'keys_unreachable' }),
      10_000,
      'the fetch to be given up',
    );
    expect(faults).toHaveLength(1);
    broken = false;
    clock = COOLDOWN;
    expect(await within(verify(token, keys), 10_000, 'the next fetch')).toBe('kim');
    await new Promise((resolve) => raw.close(resolve));
  });

  test('https of a server that speaks no TLS', async () => {
    const keys = keySet(issuer.url.replace('http:', 'https:'));
    await expect(verify(await signed(one, { kid: 'one' }), keys)).rejects.toMatchObject({ code: 'keys_unreachable' });
    expect(issuer.fetches).toBe(0);
  });

  test.each([
    'http://issuer.test/keys',
    'http://10.0.0.1/keys',
    'http://127.0.0.1.evil.test/keys',
    'http://localhost.evil.test/',
    'ftp://127.0.0.1/keys',
    'file:///etc/passwd',
    'data:application/json,{"keys":[]}',
    'https://user:secret@issuer.test/',
    'https://secret@issuer.test/',
    'http://user:secret@127.0.0.1/',
    'http://127.0.0.1@issuer.test/',
    'http://0.0.0.0/',
    'http://[::ffff:10.0.0.1]/',
    'keys.json',
    '',
  ])('the address %j is refused', async (url) => {
    const fault = await faultOf(() => keySet(url));
    expect(fault.code).toBe('usage');
    expect(fault.message).not.toContain('secret');
  });

  test.each(['https://issuer.test/keys', 'http://localhost:1/keys', 'http://[::1]:1/keys', 'http://127.0.0.1/'])(
    'the address %s is taken',
    (url) => void keySet(url),
  );
});
