/**
 * Random commands, sent to the embedded store and to a real Redis: replies, types and errors must be the same to the
 * letter. WSSESS_TEST_RUNS multiplies the 20,000 commands a kind; WSSESS_TEST_SEED repeats a run.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Embedded } from '../../../src/store/embedded/server.ts';
import { countsOf, PASSWORD, startStore } from '../../helpers/embedded.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../../helpers/redis.ts';
import { type Raw, RawClient } from '../../helpers/resp.ts';

const COMMANDS = 20_000 * Number(process.env.WSSESS_TEST_RUNS ?? 1);
const SEED = Number(process.env.WSSESS_TEST_SEED ?? Date.now() % 2 ** 31);
/** Commands that are sent before their replies are compared. */
const BATCH = 50;

/** mulberry32 */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Words {
  readonly #random: () => number;
  constructor(seed: number) {
    this.#random = randomFrom(seed);
  }
  below(n: number): number {
    return Math.floor(this.#random() * n);
  }
  one<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!;
  }
  some<T>(make: () => T, most: number): T[] {
    return Array.from({ length: 1 + this.below(most) }, make);
  }
  chance(p: number): boolean {
    return this.#random() < p;
  }
  /** Any case. */
  word(text: string): string {
    return this.chance(0.7) ? text : [...text].map((c) => (this.chance(0.5) ? c.toUpperCase() : c)).join('');
  }
  key = () => this.one(['k1', 'k2', 'k3', 'k4', 'k5', 'k6', 'k\xff\x00\r\n7']);
  member = () => this.one(['a', 'b', 'c', 'd', 'e', 'f', 'aa', '', '1', '-2', '\xff\x00', '\r\n', 'x'.repeat(70)]);
  value = () => (this.chance(0.4) ? this.integer() : this.member());
  integer = () =>
    this.one([
      '0',
      '1',
      '2',
      '3',
      '5',
      '10',
      '-1',
      '-2',
      '-3',
      '100',
      '-100',
      '+1',
      '01',
      ' 1',
      '1.5',
      '',
      'x',
      '9223372036854775807',
      '-9223372036854775808',
      '9223372036854775808',
      '4611686018427387904',
    ]);
  index = () => this.one(['0', '1', '2', '3', '-1', '-2', '-3', '5', '-100', '100', 'x', '1.0']);
  /** Not -0, which Redis shows as 0 or -0, by the size of the set. */
  score = () =>
    this.one([
      '0',
      '1',
      '2',
      '3',
      '-1',
      '1.5',
      '0.1',
      '1e3',
      '3.3e-7',
      '1e20',
      '1234567890123456',
      'inf',
      '-inf',
      '+inf',
      'nan',
      'x',
      '',
      ' 1',
      '1e400',
      '1e-400',
      '.5',
      '5.',
      '0x10',
      '1761000000123',
      '2.5e-5',
      '0.30000000000000004',
    ]);
  bound = () => (this.chance(0.3) ? '(' : '') + this.one([this.score(), '-inf', '+inf', '0', '2', '10']);
  /** Seconds or milliseconds that don't end within the test, or have ended. */
  seconds = () => this.one(['100', '200', '1000', '86400', '0', '-1', 'x', '9223372036854775807', '1.5']);
  milliseconds = () => this.one(['100000', '200000', '2592000000', '0', '-1', 'x', '9223372036854775807']);
  atSeconds = () => this.one(['1', '0', '-5', '33333333333', '44444444444', 'x']);
  atMilliseconds = () => this.one(['1000', '0', '33333333333000', '44444444444000', 'x']);
  glob = () => this.one(['*', 'k*', 'k[1-3]', 'k[^1]', '?1', 'k\\1', '[', 'k[', '', '*\xff*', 'k[3-1]', '**1']);
}

type Kind = (w: Words) => string[];

const expiryOption: Kind = (w) =>
  w.one([
    () => [w.word('ex'), w.seconds()],
    () => [w.word('px'), w.milliseconds()],
    () => [w.word('exat'), w.atSeconds()],
    () => [w.word('pxat'), w.atMilliseconds()],
  ])();
const setOptions: Kind = (w) =>
  Array.from({ length: w.below(4) }, () =>
    w.one([() => expiryOption(w), () => [w.word(w.one(['nx', 'xx', 'get', 'keepttl', 'persist', 'ex', 'foo']))]])(),
  ).flat();

const kinds: Record<string, Kind> = {
  strings: (w) =>
    w.one([
      () => ['set', w.key(), w.value(), ...setOptions(w)],
      () => ['get', w.key()],
      () => ['getdel', w.key()],
      () => [
        'getex',
        w.key(),
        ...(w.chance(0.6) ? (w.chance(0.8) ? expiryOption(w) : [w.word('persist')]) : setOptions(w)),
      ],
      () => ['getset', w.key(), w.value()],
      () => ['setnx', w.key(), w.value()],
      () => ['setex', w.key(), w.seconds(), w.value()],
      () => ['psetex', w.key(), w.milliseconds(), w.value()],
      () => [w.one(['mset', 'msetnx']), ...w.some(() => w.one([w.key(), w.value()]), 6)],
      () => ['mget', ...w.some(w.key, 4)],
      () => ['append', w.key(), w.value()],
      () => ['strlen', w.key()],
      () => [w.one(['incr', 'decr']), w.key()],
      () => [w.one(['incrby', 'decrby']), w.key(), w.integer()],
      () => ['sadd', w.key(), w.member()],
      () => ['del', w.key()],
    ])(),
  expiry: (w) =>
    w.one([
      () => ['set', w.key(), w.value()],
      () => ['set', w.key(), w.value(), ...expiryOption(w)],
      () => ['sadd', w.key(), w.member()],
      () => ['expire', w.key(), w.seconds(), ...expireFlags(w, ['nx', 'xx', 'foo'])],
      () => ['pexpire', w.key(), w.milliseconds(), ...expireFlags(w, ['nx', 'xx', 'foo'])],
      () => ['expireat', w.key(), w.atSeconds(), ...expireFlags(w)],
      () => ['pexpireat', w.key(), w.atMilliseconds(), ...expireFlags(w)],
      () => [w.one(['ttl', 'pttl', 'expiretime', 'pexpiretime', 'persist']), w.key()],
      () => [w.one(['rename', 'renamenx']), w.key(), w.key()],
      () => ['del', ...w.some(w.key, 2)],
    ])(),
  keys: (w) =>
    w.one([
      () => ['set', w.key(), w.value()],
      () => ['lpush', w.key(), w.value()],
      () => ['zadd', w.key(), '1', w.member()],
      () => ['sadd', w.key(), w.member()],
      () => [w.one(['exists', 'del', 'unlink']), ...w.some(w.key, 3)],
      () => ['type', w.key()],
      () => [w.one(['rename', 'renamenx']), w.key(), w.key()],
      () => ['keys', w.glob()],
      () => ['dbsize'],
      () => [w.one(['flushall', 'flushdb']), ...(w.chance(0.3) ? [w.one(['sync', 'async', 'x'])] : [])],
      () => ['scan', w.one(['0', 'x', '0 ', '', '18446744073709551616']), ...scanOptions(w, true)],
      () => ['select', w.one(['0', 'x', '99', '-1'])],
      () => ['echo', w.value()],
      () => ['ping', ...(w.chance(0.5) ? w.some(w.value, 2) : [])],
      () => [
        w.one(['nope', 'get', 'set', 'client', 'client|id', 'object|x', 'k\xff\x00', 'a\r\nb', 'zadd', 'mget']),
        ...(w.chance(0.6) ? w.some(w.value, 3) : []),
      ],
      () => [w.one(['config', 'client', 'pubsub', 'script', 'memory', 'command']), w.one(['nope', 'x\r\ny', ''])],
      () => ['evalsha', w.one(['x', 'f'.repeat(40)]), w.integer(), ...w.some(w.value, 2)],
    ])(),
  sets: (w) =>
    w.one([
      () => ['sadd', w.key(), ...w.some(w.member, 4)],
      () => ['sadd', w.key(), ...w.some(w.member, 4)],
      () => ['srem', w.key(), ...w.some(w.member, 3)],
      () => ['sismember', w.key(), w.member()],
      () => ['smismember', w.key(), ...w.some(w.member, 3)],
      () => ['scard', w.key()],
      () => ['smembers', w.key()],
      () => ['spop', w.key(), w.one(['100', '0', '-1', 'x']), ...(w.chance(0.1) ? ['x'] : [])],
      () => ['srandmember', w.key(), w.one(['100', '0', 'x']), ...(w.chance(0.1) ? ['x'] : [])],
      () => ['sscan', w.key(), w.one(['0', 'x']), ...scanOptions(w, false)],
      () => ['set', w.key(), w.value()],
      () => ['del', w.key()],
    ])(),
  'sorted sets': (w) =>
    w.one([
      () => ['zadd', w.key(), ...zaddFlags(w), ...w.some(() => [w.score(), w.member()], 3).flat()],
      () => ['zadd', w.key(), ...w.some(() => [w.one(['0', '1', '2', '0.1', '-3']), w.member()], 4).flat()],
      () => ['zadd', w.key(), ...zaddFlags(w), w.score(), w.member(), ...(w.chance(0.2) ? ['x'] : [])],
      () => ['zincrby', w.key(), w.score(), w.member()],
      () => ['zrem', w.key(), ...w.some(w.member, 2)],
      () => ['zscore', w.key(), w.member()],
      () => ['zmscore', w.key(), ...w.some(w.member, 3)],
      () => ['zcard', w.key()],
      () => ['zcount', w.key(), w.bound(), w.bound()],
      () => [w.one(['zrank', 'zrevrank']), w.key(), w.member()],
      () => ['zrange', w.key(), w.index(), w.index(), ...rangeOptions(w)],
      () => ['zrange', w.key(), w.bound(), w.bound(), w.word('byscore'), ...rangeOptions(w)],
      () => ['zrevrange', w.key(), w.index(), w.index(), ...rangeOptions(w)],
      () => [w.one(['zrangebyscore', 'zrevrangebyscore']), w.key(), w.bound(), w.bound(), ...rangeOptions(w)],
      () => ['zremrangebyscore', w.key(), w.bound(), w.bound()],
      () => ['zremrangebyrank', w.key(), w.index(), w.index()],
      () => [
        w.one(['zpopmin', 'zpopmax']),
        w.key(),
        ...(w.chance(0.5) ? [w.index()] : []),
        ...(w.chance(0.05) ? ['x'] : []),
      ],
      () => ['zscan', w.key(), '0', ...scanOptions(w, false)],
      () => ['set', w.key(), w.value()],
      () => ['del', w.key()],
    ])(),
  lists: (w) =>
    w.one([
      () => [w.one(['lpush', 'rpush']), w.key(), ...w.some(w.value, 4)],
      () => [w.one(['lpop', 'rpop']), w.key(), ...(w.chance(0.5) ? [w.index()] : []), ...(w.chance(0.05) ? ['x'] : [])],
      () => ['llen', w.key()],
      () => ['lrange', w.key(), w.index(), w.index()],
      () => ['lindex', w.key(), w.index()],
      () => ['ltrim', w.key(), w.index(), w.index()],
      () => [
        'blpop',
        ...w.some(w.key, 3),
        w.one(w.chance(0.2) ? ['0.001', '0.002'] : ['x', '-1', '', 'nan', 'inf', '9999999999999999999']),
      ],
      () => ['set', w.key(), w.value()],
      () => ['del', w.key()],
    ])(),
  transactions: (w) =>
    w.one([
      () => [w.one(['multi', 'multi', 'exec', 'exec', 'discard', 'unwatch'])],
      () => ['watch', w.key()],
      () => ['set', w.key(), w.value()],
      () => ['incr', w.key()],
      () => ['sadd', w.key(), w.member()],
      () => ['blpop', w.key(), '0.001'],
      () => [w.one(['get', 'nope', 'type', 'lpop'])],
      () => ['publish', 'c', 'm'],
      () => ['get', w.key()],
    ])(),
};

/** GT and LT only where the time is absolute: the clocks of two servers decide otherwise. */
const expireFlags = (w: Words, flags = ['nx', 'xx', 'gt', 'lt', 'foo']): string[] =>
  w.chance(0.5) ? [] : w.some(() => w.word(w.one(flags)), 2);
const zaddFlags: Kind = (w) =>
  Array.from({ length: w.below(3) }, () => w.word(w.one(['nx', 'xx', 'gt', 'lt', 'ch', 'incr'])));
const rangeOptions: Kind = (w) =>
  Array.from({ length: w.below(3) }, () =>
    w.one([
      () => [w.word('withscores')],
      () => [w.word('limit'), w.index(), w.index()],
      () => [w.word('rev')],
      () => ['limit', '0'],
      () => ['foo'],
    ])(),
  ).flat();
const scanOptions = (w: Words, withType: boolean): string[] =>
  Array.from({ length: w.below(3) }, () =>
    w.one([
      () => [w.word('match'), w.glob()],
      () => [w.word('count'), w.one(['100', '1000', '0', '-1', 'x'])],
      () => (withType ? [w.word('type'), w.one(['set', 'string', 'zset', 'list', 'STRING'])] : ['type', 'set']),
      () => ['count'],
    ])(),
  )
    .flat()
    .concat('count', '1000') as string[]; // the last one counts; the whole in one call, or the cursors would differ

const UNORDERED = /^(smembers|spop|srandmember|keys|sscan|zscan|scan)$/;

/** The replies that were given, or the expected ones where they may differ: unordered, or a second apart. */
function alike([name = '']: readonly string[], expected: Raw, given: Raw): Raw {
  if (/^p?(ttl|expiretime)$/.test(name)) {
    const [a, b] = [expected, given].map((reply) => Number(String(reply).slice(1)));
    return a! > 0 && b! > 0 && Math.abs(a! - b!) <= (name.startsWith('p') ? 1000 : 1) ? expected : given;
  }
  return UNORDERED.test(name) && JSON.stringify(sorted(expected)) === JSON.stringify(sorted(given)) ? expected : given;
}

const sorted = (reply: Raw): Raw =>
  Array.isArray(reply) ? reply.map(sorted).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : reply;

describeWithRedis(`the embedded store beside Redis (WSSESS_TEST_SEED=${SEED})`, () => {
  let redis: TestRedis;
  let store: Embedded;
  beforeAll(async () => {
    redis = await startRedis();
    store = await startStore();
  });
  afterAll(async () => {
    await redis.stop();
    await store.close();
  });

  it.each(Object.entries(kinds))(
    `${COMMANDS} random commands: %s`,
    async (_, make) => {
      const words = new Words(SEED);
      const [real, ours] = [await RawClient.open(redis.port), await RawClient.open(store.port, PASSWORD)];
      for (const client of [real, ours]) await client.call('FLUSHALL');
      for (let done = 0; done < COMMANDS; done += BATCH) {
        const commands = Array.from({ length: BATCH }, () => make(words));
        const [expected, given] = await Promise.all([real.all(commands), ours.all(commands)]);
        expected.forEach((reply, i) => {
          const where = () => `${JSON.stringify(commands[i])} after ${JSON.stringify(commands.slice(0, i))}`;
          const same = alike(commands[i]!, reply, given[i]!);
          if (JSON.stringify(same) !== JSON.stringify(reply)) expect(same, where()).toEqual(reply);
        });
      }
      real.close();
      ours.close();
    },
    120_000 * Number(process.env.WSSESS_TEST_RUNS ?? 1),
  );

  it('counts what ran, was refused and failed', async () => {
    const count = async (client: RawClient, lines: string[][]): Promise<string[]> => {
      await client.all([['FLUSHALL'], ['CONFIG', 'RESETSTAT'], ...lines]);
      return countsOf(client);
    };
    const lines = [
      'GET a|GET|CONFIG|CONFIG foo|FOO|CLIENT ID|LPUSH l x|GET l|MULTI|SET a b|GET|EXEC|MULTI|SET a b|GET l|EXEC',
      `SCRIPT LOAD|EVALSHA ${'0'.repeat(40)} 0|BLPOP none 0.01|SUBSCRIBE c|GET a|UNSUBSCRIBE c|INFO|INFO x`,
    ].flatMap((line) => line.split('|').map((one) => one.split(' ')));
    const [real, ours] = [await RawClient.open(redis.port), await RawClient.open(store.port, PASSWORD)];
    const expected = await count(real, lines);
    expect(expected).toContain('get 3 rejected_calls=3,failed_calls=2');
    expect(await count(ours, lines)).toEqual(expected);
    for (const client of [real, ours]) {
      expect(await client.call('INFO')).not.toContain('cmdstat');
      expect(await client.call('INFO', 'all')).toContain('cmdstat_get:');
      await client.call('CONFIG', 'RESETSTAT');
      expect(await client.call('INFO', 'stats')).toMatch(/total_commands_processed:1\r/);
      expect(await client.call('INFO', 'commandstats')).not.toContain('cmdstat_get:');
      client.close();
    }
  });
});
