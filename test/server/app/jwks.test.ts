/** A key set of an issuer: what is asked for it and how often, rotation, outage, and what it must not be talked into. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
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
    expect(faults[0]?.message).toMatch(/answers 302/);
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

  test.each([
    'http://issuer.test/keys',
    'http://10.0.0.1/keys',
    'http://127.0.0.1.evil.test/keys',
    'http://localhost.evil.test/',
    'ftp://127.0.0.1/keys',
    'file:///etc/passwd',
    'data:application/json,{"keys":[]}',
    'https://user:secret@issuer.test/',
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
