/** Tokens of a client, and each attack on them that is known (RFC 8725), by its name. */

import { createHmac, createSign, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { EncryptJWT } from 'jose';
import { afterAll, describe, expect, test } from 'vitest';
import { type JwtRules, verifyToken } from '../../../src/server/app/jwt.ts';
import { publicKey, secretKey } from '../../../src/server/app/keys.ts';
import { Refusal } from '../../../src/server/refusal.ts';
import { faultOf } from '../../helpers/floor.ts';
import {
  ecPair,
  forge,
  forgeText,
  jwkOf,
  type Pair,
  pemOf,
  rsaPair,
  SECRET,
  secretOf,
  sign,
} from '../../helpers/tokens.ts';

const folder = mkdtempSync(join(tmpdir(), 'wssess-keys-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const fileOf = (text: string): string => {
  const file = join(folder, `key-${++files}.pem`);
  writeFileSync(file, text);
  return file;
};

const NOW = Date.now();
const seconds = Math.floor(NOW / 1000);
const rsa = rsaPair();
const ec = ecPair();
const rules = (over: Partial<JwtRules> = {}): JwtRules => ({
  keys: secretKey(SECRET),
  issuer: undefined,
  audience: undefined,
  skew: 30_000,
  roleClaim: 'role',
  allowNoExp: false,
  ...over,
});
const ofPair = (pair: Pair) => rules({ keys: publicKey(fileOf(pemOf(pair.publicKey))) });
const verify = (token: string, over: Partial<JwtRules> = {}, now = NOW) => verifyToken(token, rules(over), now);

/** The token is refused, in words that hold nothing of it. */
async function expectRefused(work: Promise<unknown>, message: RegExp, code = 1008): Promise<void> {
  const refusal: unknown = await work.then(
    () => 'it was taken',
    (error) => error,
  );
  expect(refusal).toBeInstanceOf(Refusal);
  expect(refusal).toMatchObject({ code, message: expect.stringMatching(message) });
  expect((refusal as Refusal).message.length).toBeLessThan(150);
}

describe('a good token', () => {
  test('user from sub, role from role, the end from exp and the skew', async () => {
    const token = await sign({ sub: '홍길동', role: 'AGENT', exp: seconds + 60 });
    expect(await verify(token)).toEqual({ user: '홍길동', role: 'AGENT', expiresAt: (seconds + 90) * 1000 });
  });

  test.each([
    ['role', { role: 'AGENT' }, 'AGENT'],
    ['https://example.com/role', { 'https://example.com/role': 'AGENT', role: 'X' }, 'AGENT'],
    ['roles', { roles: ['AGENT', 'X'] }, 'AGENT'],
    ['roles', { roles: [] }, null],
    ['role', { role: '' }, null],
    ['role', { role: null }, null],
    ['role', {}, null],
    ['constructor', {}, null],
    ['__proto__', {}, null],
  ])('the role by --jwt-role-claim %s of %j is %j', async (roleClaim, claims, role) => {
    expect((await verify(await sign({ sub: 'kim', ...claims }), { roleClaim })).role).toBe(role);
  });

  test.each([
    ['number', 7],
    ['object', { a: 1 }],
    ['list of numbers', [1]],
  ])('a role that is a %s is refused', async (_, role) => {
    await expectRefused(verify(await sign({ sub: 'kim', role })), /role is no text/);
  });

  test.each<[string, Pair]>([
    ['RS256', rsa],
    ['PS512', rsa],
    ['ES256', ec],
    ['ES384', ecPair('P-384')],
    ['ES512', ecPair('P-521')],
    ['EdDSA', generateKeyPairSync('ed25519')],
    ['Ed25519', generateKeyPairSync('ed25519')],
  ])('%s with the public key in a file', async (alg, pair) => {
    const token = await sign({ sub: 'kim' }, { alg, key: pair.privateKey });
    expect(await verifyToken(token, ofPair(pair), NOW)).toMatchObject({ user: 'kim', role: null });
  });
});

describe('algorithm confusion (RFC 8725, 2.1 and 3.1)', () => {
  const claims = { sub: 'admin', exp: seconds + 60 };

  test.each([
    ['an RSA key', rsa],
    ['an EC key', ec],
  ])('HS256 with %s that is public as its secret, in all its spellings', async (_, pair) => {
    const [pem, rules, jwk] = [pemOf(pair.publicKey), ofPair(pair), await jwkOf(pair.publicKey)];
    const secrets = [
      pem,
      pem.trimEnd(),
      pem.replaceAll('\n', '\r\n'),
      pem.replaceAll('\n', ''),
      pem.replace(/-----.*-----/g, '').trim(),
      pem.replace(/-----.*-----|\n/g, ''),
      pair.publicKey.export({ type: 'spki', format: 'der' }),
      ...(pair === rsa
        ? [
            rsa.publicKey.export({ type: 'pkcs1', format: 'pem' }),
            rsa.publicKey.export({ type: 'pkcs1', format: 'der' }),
          ]
        : []),
      JSON.stringify(jwk),
      ...Object.values(jwk).flatMap((part: string) => [part, Buffer.from(part, 'base64url')]),
      '',
    ];
    for (const secret of secrets) {
      for (const alg of ['HS256', 'hs256', 'HS256 ']) {
        await expectRefused(verifyToken(forge({ alg }, claims, secret), rules, NOW), /algorithm "hs256 ?"/i);
      }
    }
  });

  test('a key of a pair named as the secret: nobody can sign with what is published', async () => {
    for (const text of [pemOf(rsa.publicKey), pemOf(ec.publicKey), JSON.stringify(await jwkOf(rsa.publicKey))]) {
      const fault = await faultOf(() => secretKey(text));
      expect(fault.code).toBe('usage');
      expect(fault.message).toMatch(/WSSESS_JWT_SECRET/);
      expect(fault.message + fault.advice).not.toContain(text.slice(30, 60));
      expect(fault.advice).toContain('--jwt-public-key');
    }
  });

  test.each(['HS384', 'HS512'])('a secret is for HS256 alone, not %s', async (alg) => {
    const long = SECRET.repeat(3);
    const token = await sign(claims, { alg, key: secretOf(long) });
    await expectRefused(verify(token, { keys: secretKey(long) }), /algorithm/);
  });

  test('RS256 where there is a secret; ES256 where there is an RSA key; RS256 where there is an EC key', async () => {
    const [rs256, es256] = [
      await sign(claims, { alg: 'RS256', key: rsa.privateKey }),
      await sign(claims, { alg: 'ES256', key: ec.privateKey }),
    ];
    await expectRefused(verify(rs256), /algorithm "RS256"/);
    await expectRefused(verifyToken(es256, ofPair(rsa), NOW), /algorithm "ES256"/);
    await expectRefused(verifyToken(rs256, ofPair(ec), NOW), /algorithm "RS256"/);
  });

  test('another key of the same kind', async () => {
    const token = await sign(claims, { alg: 'RS256', key: rsaPair().privateKey });
    await expectRefused(verifyToken(token, ofPair(rsa), NOW), /no key of this server/);
    await expectRefused(verify(await sign(claims, { key: secretOf(`${SECRET}!`) })), /no key of this server/);
  });
});

describe('alg none (RFC 8725, 2.1)', () => {
  test.each<unknown>([
    ...['none', 'None', 'NONE', 'nOnE', '', undefined, null, 0, ['HS256'], { alg: 'HS256' }],
    { toString: 1 },
    { toString: 'HS256', valueOf: null },
  ])('alg %j, with no signature and with one', async (alg) => {
    const claims = { sub: 'admin', exp: seconds + 60 };
    await expectRefused(verify(forge({ alg }, claims)), /algorithm|no token/);
    await expectRefused(verify(forge({ alg }, claims, SECRET)), /algorithm|no token/);
    await expectRefused(verifyToken(forge({ alg }, claims), ofPair(rsa), NOW), /algorithm|no token/);
  });

  test('HS256 with its signature cut off', async () => {
    const [header, claims] = (await sign({ sub: 'admin' })).split('.');
    for (const token of [`${header}.${claims}.`, `${header}.${claims}`, `${header}.${claims}.AAAA`]) {
      await expectRefused(verify(token), /no key|no token|cannot be checked/);
    }
  });

  test('ES256 with a signature of nothing but zeros, or in DER', async () => {
    const signed = (await sign({ sub: 'admin' }, { alg: 'ES256', key: ec.privateKey })).replace(/\.[^.]*$/, '');
    const der = createSign('sha256').update(signed).sign(ec.privateKey);
    for (const signature of [Buffer.alloc(64), Buffer.alloc(0), Buffer.from('3006020100020100', 'hex'), der]) {
      const token = `${signed}.${signature.toString('base64url')}`;
      await expectRefused(verifyToken(token, ofPair(ec), NOW), /no key of this server/);
    }
  });
});

describe('kid tricks', () => {
  const claims = { sub: 'admin', exp: seconds + 60 };

  test.each([
    '../../../../dev/null',
    '/dev/null',
    "' UNION SELECT 'secret",
    '__proto__',
    'http://127.0.0.1/keys',
    '',
    '\0',
    '열쇠\u202e\ud83d\udd11',
    'x'.repeat(5000),
  ])('kid %j names no other key: the right signature holds, an empty or guessed secret does not', async (kid) => {
    for (const secret of ['', 'secret', kid]) {
      await expectRefused(verify(forge({ alg: 'HS256', kid }, claims, secret)), /no key of this server/);
    }
    expect((await verify(forge({ alg: 'HS256', kid }, claims, SECRET))).user).toBe('admin');
  });

  test.each([[7], [null], [{ $ne: 1 }], [['a']]])('kid %j is no text', async (kid) => {
    await expectRefused(verify(forge({ alg: 'HS256', kid }, claims, SECRET)), /kid/);
  });

  test('jwk, jku, x5u and x5c: the key that a token brings or points to is nobody’s', async () => {
    const own = rsaPair();
    const jwk = await jwkOf(own.publicKey);
    const x5c = [own.publicKey.export({ type: 'spki', format: 'der' }).toString('base64')];
    for (const header of [{ jwk }, { jku: 'https://evil.test/' }, { x5u: 'https://evil.test/' }, { x5c }]) {
      const token = await sign(claims, { alg: 'RS256', key: own.privateKey, ...(header as object) });
      await expectRefused(verifyToken(token, ofPair(rsa), NOW), /no key of this server/);
    }
  });

  test('crit (RFC 7515, 4.1.11): whatever it says must be understood', async () => {
    for (const header of [
      { crit: ['exp2'], exp2: 1 },
      { crit: ['b64'], b64: false },
      { crit: ['b64'], b64: true },
      { crit: ['__proto__'] },
      { crit: [] },
      { crit: null },
      { crit: 'exp' },
    ]) {
      await expectRefused(verify(forge({ alg: 'HS256', ...header }, claims, SECRET)), /crit/);
    }
  });

  test('claims that are not encoded (RFC 7797, b64) are no JWT', async () => {
    const header = Buffer.from('{"alg":"HS256","b64":false}').toString('base64url');
    const signed = `${header}.${JSON.stringify(claims)}`;
    const token = `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
    await expectRefused(verify(token), /no token/);
  });
});

describe('missing exp', () => {
  test('is refused', async () => {
    await expectRefused(verify(await sign({ sub: 'kim', exp: undefined! })), /exp is missing/);
  });

  test('is taken with --allow-no-exp, where an exp that is there still counts', async () => {
    const endless = await verify(await sign({ sub: 'kim', exp: undefined! }), { allowNoExp: true });
    expect(endless).toEqual({ user: 'kim', role: null, expiresAt: undefined });
    await expectRefused(verify(await sign({ sub: 'kim', exp: seconds - 60 }), { allowNoExp: true }), /expired/, 4004);
  });

  const withExp = (exp: string | number) => forgeText('{"alg":"HS256"}', `{"sub":"kim","exp":${exp}}`, SECRET);

  test.each(['"soon"', 'null', '"9999999999"', '1e999', '[9999999999]', 'true', '{}'])(
    'exp %s is no time',
    async (exp) => {
      await expectRefused(verify(withExp(exp)), /exp is no time/);
      await expectRefused(verify(withExp(exp), { allowNoExp: true }), /exp is no time/);
    },
  );

  test.each(['0', '-1', '-1e999', '-9999999999', '0.1'])('exp %s has been', async (exp) => {
    await expectRefused(verify(withExp(exp)), /expired/, 4004);
    await expectRefused(verify(withExp(exp), { allowNoExp: true }), /expired/, 4004);
  });

  test('exp may have a fraction, and be in a future that no clock reaches', async () => {
    expect((await verify(withExp(seconds + 0.5))).expiresAt).toBe((seconds + 30) * 1000 + 500);
    expect((await verify(withExp('1e300'))).expiresAt).toBeGreaterThan(Number.MAX_SAFE_INTEGER);
  });
});

describe('skew', () => {
  test('a token is good until exp and 30 s more, then it has expired: 4004, cause token_expired', async () => {
    const token = await sign({ sub: 'kim', exp: seconds });
    expect((await verify(token, {}, (seconds + 29) * 1000)).user).toBe('kim');
    await expectRefused(verify(token, {}, (seconds + 30) * 1000), /expired/, 4004);
    await expect(verify(token, {}, (seconds + 31) * 1000)).rejects.toMatchObject({ cause: 'token_expired' });
    await expectRefused(verify(token, { skew: 0 }, seconds * 1000), /expired/, 4004);
    expect((await verify(token, { skew: 120_000 }, (seconds + 119) * 1000)).user).toBe('kim');
  });

  test('nbf: not before it, but for the skew', async () => {
    const token = await sign({ sub: 'kim', nbf: seconds + 100, exp: seconds + 200 });
    await expectRefused(verify(token, {}, (seconds + 69) * 1000), /nbf is yet to come/);
    expect((await verify(token, {}, (seconds + 70) * 1000)).user).toBe('kim');
    await expectRefused(verify(token, { skew: 0 }, (seconds + 99) * 1000), /nbf/);
    await expectRefused(verify(await sign({ sub: 'kim', nbf: 'now' as never })), /nbf is no time/);
    await expectRefused(
      verify(forgeText('{"alg":"HS256"}', '{"sub":"a","exp":9e9,"nbf":1e999}', SECRET)),
      /nbf is no time/,
    );
    for (const nbf of ['"1"', 'null', 'true', '[1]', '{}']) {
      await expectRefused(
        verify(forgeText('{"alg":"HS256"}', `{"sub":"a","exp":9e9,"nbf":${nbf}}`, SECRET)),
        /nbf is no time/,
      );
    }
  });

  test('iat says nothing of who is who: in the future it is taken, but it is a number (RFC 7519, 4.1.6)', async () => {
    expect((await verify(await sign({ sub: 'kim', iat: seconds + 3600 }))).user).toBe('kim');
    await expectRefused(verify(forge({ alg: 'HS256' }, { sub: 'a', exp: 9e9, iat: 'now' }, SECRET)), /iat is no time/);
  });
});

describe('wrong issuer, wrong audience', () => {
  const good = { sub: 'kim', iss: 'https://issuer.test', aud: ['other', 'chat'] };
  const named = { issuer: 'https://issuer.test', audience: 'chat' };

  test('the right ones, alone or among others', async () => {
    expect((await verify(await sign(good), named)).user).toBe('kim');
    expect((await verify(await sign({ ...good, aud: 'chat' }), named)).user).toBe('kim');
  });

  test.each([
    ['iss', { iss: 'https://issuer.test/' }],
    ['iss', { iss: 'https://evil.test' }],
    ['iss', { iss: undefined }],
    ['iss', { iss: ['https://issuer.test'] }],
    ['aud', { aud: 'chat2' }],
    ['aud', { aud: [] }],
    ['aud', { aud: undefined }],
    ['aud', { aud: { chat: 1 } }],
  ])('%s of %j', async (claim, wrong) => {
    const token = forge({ alg: 'HS256' }, { ...good, exp: seconds + 60, ...wrong }, SECRET);
    await expectRefused(verify(token, named), new RegExp(`${claim} is`));
  });
});

describe('what is no good token', () => {
  test('token too long: 8,192 characters at most, before anything is decoded', async () => {
    const token = await sign({ sub: 'kim', filler: 'x'.repeat(7000) });
    expect(token.length).toBeGreaterThan(8192);
    await expectRefused(verify(token), /more than 8192 characters/);
    await expectRefused(verify('x'.repeat(1 << 20)), /more than 8192 characters/);
    const longest = await sign({ sub: 'kim', filler: 'x'.repeat(5900) });
    expect(longest.length).toBeGreaterThan(7900);
    expect((await verify(longest)).user).toBe('kim');
  });

  test.each(['', '.', '..', '...', 'a.b.c', 'e30.e30.e30', 'null', '한.국.어', 'a.b.c.d.e', '\0.\0.\0'])(
    '%j',
    async (token) => {
      await expectRefused(verify(token), /no token|algorithm/);
    },
  );

  test('other spellings of a good one: base64url has no padding, no spaces and one alphabet (RFC 7515, 5.2)', async () => {
    const good = forge({ alg: 'HS256' }, { sub: 'kim', exp: seconds + 60, x: 0 }, SECRET);
    expect((await verify(good)).user).toBe('kim');
    const spaced = good.replace(/....$/, (end) => ` ${end}`);
    for (const token of [`${good}=`, `${good} `, ` ${good}`, `${good}\n`, spaced, `${good}+`, `${good}/`, `${good}.`]) {
      await expectRefused(verify(token), /no token/);
    }
  });

  test('encrypted (JWE), even with our own secret', async () => {
    const secret = 'x'.repeat(32);
    const token = await new EncryptJWT({ sub: 'admin' })
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
      .setExpirationTime('1h')
      .encrypt(secretOf(secret));
    await expectRefused(verify(token, { keys: secretKey(secret) }), /no token/);
    const [header, ...parts] = forge({ alg: 'HS256' }, { sub: 'admin' }, SECRET).split('.');
    await expectRefused(verify([header, ...parts, 'AAAA', 'AAAA'].join('.')), /no token/);
  });

  test('a token in a token, and compressed claims', async () => {
    const inner = await sign({ sub: 'admin' });
    const signed = [
      Buffer.from('{"alg":"HS256","cty":"JWT"}').toString('base64url'),
      Buffer.from(inner).toString('base64url'),
    ].join('.');
    const nested = `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
    await expectRefused(verify(nested), /cannot be checked/);
    const claims = deflateRawSync(JSON.stringify({ sub: 'admin', exp: seconds + 60 })).toString('base64url');
    const zipped = `${Buffer.from('{"alg":"HS256","zip":"DEF"}').toString('base64url')}.${claims}`;
    const token = `${zipped}.${createHmac('sha256', SECRET).update(zipped).digest('base64url')}`;
    await expectRefused(verify(token), /cannot be checked/);
  });

  test('of a name that is there twice the last one counts, everywhere (RFC 7519, 4)', async () => {
    const claims = `"exp":${seconds + 60}`;
    const token = forgeText('{"alg":"none","alg":"HS256"}', `{"sub":"admin","sub":"kim",${claims}}`, SECRET);
    expect((await verify(token)).user).toBe('kim');
    const none = forgeText('{"alg":"HS256","alg":"none"}', `{"sub":"kim",${claims}}`, SECRET);
    await expectRefused(verify(none), /algorithm "none"/);
    const past = forgeText('{"alg":"HS256"}', `{"sub":"kim",${claims},"exp":1}`, SECRET);
    await expectRefused(verify(past), /expired/, 4004);
    const inherited = forgeText('{"alg":"HS256"}', '{"__proto__":{"sub":"admin","exp":9e9}}', SECRET);
    await expectRefused(verify(inherited), /exp is missing/);
    await expectRefused(
      verify(forgeText('{"__proto__":{"alg":"HS256"}}', `{"sub":"a",${claims}}`, SECRET)),
      /algorithm/,
    );
  });

  test.each([
    ['missing', {}],
    ['empty', { sub: '' }],
    ['a number', { sub: 7 }],
    ['a list', { sub: ['kim'] }],
    ['longer than 512 bytes', { sub: '홍'.repeat(171) }],
    ['of two lines, which would be a header of CONNECTED', { sub: 'kim\nsession:x' }],
    ['with a NUL, where a frame ends', { sub: 'kim\0' }],
    ['half a character, which Redis would hold for another user', { sub: '\ud800' }],
  ])('sub is %s', async (_, claims) => {
    const token = forge({ alg: 'HS256' }, { exp: seconds + 60, ...claims }, SECRET);
    await expectRefused(verify(token), /sub/);
  });

  test('whatever its header and claims hold: a refusal, or a user of one line; never a fault of the server', async () => {
    const names = fc.constantFrom('toString', 'valueOf', 'constructor', '__proto__', 'then', 'length');
    const odd = fc.oneof(
      fc.jsonValue(),
      fc.dictionary(names, fc.jsonValue()),
      fc.constantFrom('HS256', 'none', 'b64', 'me', seconds + 60, 1e300, -1, '\0', '\ud800'),
    );
    const some = (...keys: string[]) =>
      fc.record(Object.fromEntries(keys.map((key) => [key, odd])), { requiredKeys: [] });
    const headers = some('alg', 'kid', 'crit', 'b64', 'typ', 'cty', 'zip', 'enc', 'jwk', 'jku', 'x5c', '__proto__');
    const claims = some('sub', 'exp', 'nbf', 'iat', 'iss', 'aud', 'role', '__proto__');
    const good = { sub: 'kim', exp: seconds + 60, iss: 'me', aud: 'me' };
    const named = { issuer: 'me', audience: 'me' };
    await fc.assert(
      fc.asyncProperty(headers, claims, fc.boolean(), async (header, payload, mostlyGood) => {
        const token = mostlyGood
          ? forge({ alg: 'HS256', ...header }, { ...good, ...payload }, SECRET)
          : forge(header, payload, SECRET);
        try {
          expect((await verify(token, named)).user).toMatch(/^[^\0\r\n]+$/);
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal);
        }
      }),
      { numRuns: 1000 },
    );
  });

  test('claims that are no object', async () => {
    for (const claims of [[], 'kim', 7, null]) {
      await expectRefused(verify(forge({ alg: 'HS256' }, claims, SECRET)), /cannot be checked|sub/);
    }
  });
});

describe('the key in a file', () => {
  const usage = async (text: string) => {
    const file = fileOf(text);
    const fault = await faultOf(() => publicKey(file));
    expect(fault.code).toBe('usage');
    expect(fault.message).toContain(file);
    expect(fault.message).not.toContain(text.slice(0, 40));
    return fault.message;
  };

  test('a private key has no business here, nor has RSA of 1,024 bits, a curve without a JWT algorithm, or no key', async () => {
    expect(await usage(rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())).toMatch(/private key/);
    await usage(pemOf(rsaPair(1024).publicKey));
    await usage(pemOf(ecPair('secp256k1').publicKey));
    await usage(pemOf(generateKeyPairSync('x25519').publicKey));
    await usage('a text that is no key at all, long enough to be looked for');
  });

  test('two keys in one file: which of them counts would be a guess', async () => {
    expect(await usage(pemOf(rsa.publicKey) + pemOf(ec.publicKey))).toMatch(/more than one key/);
  });

  test('a file that is not there', async () => {
    expect((await faultOf(() => publicKey(join(folder, 'none')))).message).toMatch(/ENOENT/);
  });
});
