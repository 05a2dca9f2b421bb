import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WssessError } from '../../src/common/errors.ts';
import { maskUrl, redisAddress } from '../../src/common/redis-address.ts';
import { optionName, read, resolve, SETTINGS, type SettingName } from '../../src/common/settings.ts';

const NAMES = Object.keys(SETTINGS) as SettingName[];

const faultOf = (act: () => unknown): WssessError => {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(WssessError);
    return error as WssessError;
  }
  throw new Error('it did not fail');
};

describe('the table', () => {
  test('no flag, variable or key twice, each written like the others', () => {
    for (const field of ['flag', 'variable', 'key'] as const) {
      const all = NAMES.map((name) => SETTINGS[name][field].split(' ')[0]).filter((one) => one !== '');
      expect(new Set(all).size, field).toBe(all.length);
    }
    for (const { flag, variable, key, type } of Object.values(SETTINGS)) {
      if (type === 'secret') expect(flag, 'ps would show it').toBe('');
      else expect(flag).toMatch(type === 'switch' ? /^--[a-z]+(-[a-z]+)*$/ : /^--[a-z]+(-[a-z]+)* <[a-z,]+>$/);
      expect(variable).toMatch(/^WSSESS_[A-Z]+(_[A-Z]+)*$/);
      expect(key).toMatch(/^[a-z]+\.[a-z]+(_[a-z]+)*$/);
    }
  });

  test.each(NAMES)('the default of %s can be read, as written', (name) => {
    const value = read(name, {}, {});
    if (SETTINGS[name].default === undefined) expect(value).toBeUndefined();
    else expect(value).toEqual(read(name, { [optionName(name)]: SETTINGS[name].default }, {}));
    if (SETTINGS[name].default !== undefined) expect(value).toBeDefined();
  });

  test('the defaults are those that the documents promise', () => {
    const of = (name: SettingName) => read(name, {}, {});
    expect([of('port'), of('host'), of('prefix'), of('ttl')]).toEqual([28_070, '127.0.0.1', 'ws', 86_400_000]);
    expect([of('restAllMax'), of('heartBeat'), of('maxBody'), of('maxHeader')]).toEqual([
      200_000,
      [10_000, 10_000],
      1 << 20,
      8192,
    ]);
  });

  test('an option is called as commander calls it', () => {
    expect(optionName('redisFile')).toBe('redisFile');
    expect(optionName('heartBeat')).toBe('heartBeat');
    expect(optionName('restAllMax')).toBe('restAllMax');
    expect(optionName('ttl')).toBe('ttl');
  });
});

describe('precedence: flag, then variable, then default', () => {
  test.each([
    [{ ttl: '1h' }, { WSSESS_TTL: '2h' }, '1h', '--ttl', 3_600_000],
    [{}, { WSSESS_TTL: '2h' }, '2h', 'WSSESS_TTL', 7_200_000],
    [{}, { WSSESS_TTL: '' }, '24h', 'default', 86_400_000],
    [{}, {}, '24h', 'default', 86_400_000],
    [{ other: '1s' }, { WSSESS_OTHER: '1s' }, '24h', 'default', 86_400_000],
  ])('flags %j, variables %j: %s', (flags, env, text, source, value) => {
    expect(resolve('ttl', flags, env)).toEqual({ name: 'ttl', text, source });
    expect(read('ttl', flags, env)).toBe(value);
  });

  test('nothing named and no default: not set, undefined', () => {
    expect(resolve('node', {}, {})).toEqual({ name: 'node', text: undefined, source: 'not set' });
    expect(read('node', {}, {})).toBeUndefined();
  });

  test('a wrong value is a usage error that names where it was said', () => {
    expect(faultOf(() => read('ttl', { ttl: 'soon' }, { WSSESS_TTL: '1h' }))).toMatchObject({
      code: 'usage',
      message: '--ttl: "soon" is not a duration, like 2s, 15m, 24h or 7d',
    });
    expect(faultOf(() => read('port', {}, { WSSESS_PORT: 'http' })).message).toMatch(/^WSSESS_PORT: "http" is not /);
    expect(faultOf(() => read('port', { port: '' }, {})).code).toBe('usage');
  });
});

describe('values', () => {
  const good = (name: SettingName, text: string) => read(name, { [optionName(name)]: text }, {});
  test.each<[SettingName, string, unknown]>([
    ['port', '0', 0],
    ['port', '65535', 65_535],
    ['ttl', '1s', 1000],
    ['ttl', '30d', 30 * 86_400_000],
    ['ttl', '3650d', 3650 * 86_400_000],
    ['ttl', '90', 90_000],
    ['heartBeat', '0,0', [0, 0]],
    ['heartBeat', '10s, 500ms', [10_000, 500]],
    ['heartBeat', '900, 10', [900_000, 10_000]],
    ['heartBeat', '10000s,30d', [10_000_000, 30 * 86_400_000]],
    ['maxBody', '0', 0],
    ['maxBody', '64k', 65_536],
    ['maxBody', '2M', 2 << 20],
    ['maxBody', '256m', 256 << 20],
    ['maxBuffer', '1024m', 1 << 30],
    ['prefix', '{ws}', '{ws}'],
    ['prefix', 'my-app_1.ws', 'my-app_1.ws'],
    ['node', 'web-1.eu_2', 'web-1.eu_2'],
    ['redisTimeout', '10ms', 10],
    ['restAllMax', '0', 0],
    ['redisDown', 'accept', 'accept'],
  ])('%s %s is %j', (name, text, value) => expect(good(name, text)).toEqual(value));

  test.each<[SettingName, string]>([
    ['port', '65536'],
    ['port', '-1'],
    ['port', '1.5'],
    ['port', '0x50'],
    ['port', '80 '],
    ['port', '٨٠'],
    ['port', '1e3'],
    ['ttl', '999ms'],
    ['ttl', '0'],
    ['ttl', '3651d'],
    ['ttl', '-1h'],
    ['ttl', '1.5h'],
    ['heartBeat', '10s'],
    ['heartBeat', '1s,2s,3s'],
    ['heartBeat', 'a,b'],
    ['heartBeat', ','],
    ['maxBody', '257m'],
    ['maxBody', '1g'],
    ['maxBody', '-1'],
    ['maxBody', '1.5k'],
    ['maxHeader', '255'],
    ['maxHeaders', '9'],
    ['maxBuffer', '1023'],
    ['maxSubscriptions', '0'],
    ['prefix', ''],
    ['host', ''], // a variable of the shell that isn't set
    ['jwtAudience', ''],
    ['prefix', 'a:b'],
    ['prefix', '{ws'],
    ['prefix', '{ws}x'],
    ['prefix', '{}'],
    ['prefix', 'ws\n'],
    ['prefix', 'ws*'],
    ['prefix', 'x'.repeat(65)],
    ['node', 'two words'],
    ['node', 'x'.repeat(65)],
    ['node', '한국'],
    ['redisTimeout', '9ms'],
    ['redisTimeout', '61m'],
    ['restAllMax', '10000001'],
    ['redisDown', 'Accept'],
    ['redisDown', ''],
    ['redisDown', 'refuse,accept'],
  ])('%s %j is a usage error that names the flag, with advice', (name, text) => {
    const fault = faultOf(() => good(name, text));
    expect(fault.code).toBe('usage');
    expect(fault.message.startsWith(`${SETTINGS[name].flag.split(' ')[0]}: ${JSON.stringify(text)} `)).toBe(true);
    if (text === '') return;
    // What it advises is a good one.
    const [, flag, advised = ''] = /^For example: (--\S+) (\S+)$/.exec(fault.advice)!;
    expect(flag).toBe(SETTINGS[name].flag.split(' ')[0]);
    expect(read(name, { [optionName(name)]: advised }, {})).toBeDefined();
  });
});

describe('secrets and switches', () => {
  const SECRET = 'a-secret-of-thirty-two-bytes-ok!';

  test('a secret has no flag: what commander calls so is not taken', () => {
    expect(read('jwtSecret', { '': SECRET, jwtSecret: SECRET }, {})).toBeUndefined();
    expect(read('jwtSecret', {}, { WSSESS_JWT_SECRET: SECRET })).toBe(SECRET);
  });

  test.each<[SettingName, string]>([
    ['jwtSecret', SECRET.slice(1)],
    ['apiToken', 'two words'],
    ['apiToken', 'line\nbreak'],
    ['apiViewerToken', '토큰'],
  ])('%s that is no good is a usage error, which does not show it', (name, text) => {
    const { variable } = SETTINGS[name];
    const fault = faultOf(() => read(name, {}, { [variable]: text }));
    expect(fault.code).toBe('usage');
    expect(fault.message).toContain(variable);
    expect(`${fault.message} ${fault.advice} ${fault.stack}`).not.toContain(text);
    expect(fault.advice).toContain('openssl rand');
  });

  test('the length of the JWT secret counts in bytes', () => {
    expect(read('jwtSecret', {}, { WSSESS_JWT_SECRET: '홍'.repeat(11) })).toHaveLength(11);
  });

  test.each([
    [true, 'true'],
    [true, '1'],
    [false, 'false'],
    [false, '0'],
    [false, ''],
  ])('a switch is %s by the variable %j', (value, text) => {
    expect(read('insecure', {}, { WSSESS_INSECURE: text })).toBe(value);
  });

  test('a switch is on by its flag, and nothing else than true or false', () => {
    expect(read('insecure', { insecure: true }, {})).toBe(true);
    expect(faultOf(() => read('insecure', {}, { WSSESS_INSECURE: 'maybe' })).message).toBe(
      'WSSESS_INSECURE: "maybe" is not true or false',
    );
  });
});

describe('redisAddress', () => {
  let directory: string;
  let file: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'wssess-test-'));
    file = join(directory, 'redis-url');
    writeFileSync(file, '  redis://:file-secret@file:6379\n');
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const env = { WSSESS_REDIS_URL: 'redis://:secret@variable', WSSESS_REDIS_FILE: '/no/such/file' };

  test('the flag, then the file of the flag, then the variable, then the file of the variable', () => {
    expect(redisAddress({ redis: 'redis://flag' }, env)).toEqual({ url: 'redis://flag', source: '--redis' });
    expect(redisAddress({ redisFile: file }, env)).toEqual({
      url: 'redis://:file-secret@file:6379',
      source: `--redis-file ${file}`,
    });
    expect(redisAddress({}, env)).toEqual({ url: 'redis://:secret@variable', source: 'WSSESS_REDIS_URL' });
    expect(redisAddress({}, { WSSESS_REDIS_FILE: file })).toEqual({
      url: 'redis://:file-secret@file:6379',
      source: `WSSESS_REDIS_FILE ${file}`,
    });
  });

  test('nothing named: none, never a silent localhost', () => {
    expect(redisAddress({}, {})).toBeUndefined();
    expect(redisAddress({}, { WSSESS_REDIS_URL: '', WSSESS_REDIS_FILE: '' })).toBeUndefined();
  });

  test('both flags: a usage error', () => {
    expect(faultOf(() => redisAddress({ redis: 'redis://flag', redisFile: file }, {})).message).toBe(
      '--redis and --redis-file both name a Redis',
    );
  });

  test.each([
    'redis://:secret@host',
    'redis://user:secret@host:6379/1',
    'rediss://user:secret@host',
    'REDIS://user:secret@host',
    'redis://:sec/ret@host',
    'redis://:se@cret@host',
    'redis://:se:cret@host',
    'user:secret@host',
    ' redis://:secret@host',
  ])('a password in --redis is refused: %s', (url) => {
    const fault = faultOf(() => redisAddress({ redis: url }, {}));
    expect(fault.code).toBe('usage');
    expect(`${fault.message} ${fault.advice}`).not.toMatch(/sec|cret/);
    expect(fault.advice).toContain('WSSESS_REDIS_URL');
  });

  test.each([
    'redis://host',
    'redis://host:6379/1',
    'redis://user@host',
    'redis://[::1]:6379',
    'rediss://user@[::1]:6379',
  ])('no password, no objection: %s', (url) => {
    expect(redisAddress({ redis: url }, env)?.url).toBe(url);
    expect(maskUrl(url)).toBe(url);
  });

  test('a file that cannot be read: a usage error that names flag and file', () => {
    const fault = faultOf(() => redisAddress({ redisFile: join(directory, 'none') }, {}));
    expect(fault.code).toBe('usage');
    expect(fault.message).toBe(`--redis-file: ${join(directory, 'none')} cannot be read: no such file or directory`);
    expect(faultOf(() => redisAddress({}, { WSSESS_REDIS_FILE: directory })).message).toMatch(
      /^WSSESS_REDIS_FILE: .* cannot be read: illegal operation on a directory$/,
    );
  });
});

describe('maskUrl', () => {
  test.each([
    ['redis://:secret@host:6379', 'redis://:****@host:6379'],
    ['redis://user:secret@host/1', 'redis://user:****@host/1'],
    ['rediss://user:se@cr@et@host', 'rediss://user:****@host'],
    ['redis://:se/cr/et@host:1', 'redis://:****@host:1'],
    ['redis://:se:cr:et@host:1', 'redis://:****@host:1'],
  ])('%s is %s', (url, masked) => expect(maskUrl(url)).toBe(masked));
});
