/** Scripts on the embedded store: wssess's own through ioredis, and what Redis says about faulty ones. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Details } from '../../../src/sessions/model.ts';
import { NO_LOAD } from '../../../src/sessions/nodes.ts';
import * as generated from '../../../src/sessions/scripts.gen.ts';
import { openSessions, type Sessions } from '../../../src/sessions/sessions.ts';
import { connect } from '../../../src/store/connect.ts';
import type { Embedded } from '../../../src/store/embedded/server.ts';
import { countsOf, PASSWORD, startStore } from '../../helpers/embedded.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../../helpers/redis.ts';
import { RawClient } from '../../helpers/resp.ts';

const INCARNATION = 'incarnation-0001';
const DAYS_30 = 30 * 86_400_000;

describe("wssess's own scripts", () => {
  let store: Embedded;
  let sessions: Sessions;
  beforeAll(async () => {
    store = await startStore();
    const url = `redis://:${encodeURIComponent(PASSWORD)}@127.0.0.1:${store.port}`;
    sessions = openSessions(await connect({ url, source: 'test', timeout: 5000, lasting: true }), 'ws');
    const info = { name: 'n1', url: '', host: 'h', pid: 1, version: '1', started_at: '', sessions: 0, ...NO_LOAD };
    expect(await sessions.nodes.hold({ ...info, incarnation: INCARNATION })).toBe('new');
    expect(await sessions.nodes.hold({ ...info, incarnation: 'incarnation-0002' })).toBeGreaterThan(7000);
  });
  afterAll(async () => {
    sessions.store.close();
    await store.close();
  });

  const details = (user: string, ttl = DAYS_30): Details => ({
    node: 'n1',
    incarnation: INCARNATION,
    user,
    role: 'AGENT',
    ip: '127.0.0.1',
    port: 1,
    connectedAt: Date.now(),
    version: '1.2',
    userAgent: '브라우저',
    ttl,
  });

  it('register, look, refresh, renew, unregister, with a TTL of 30 days to the millisecond', async () => {
    const { registry, directory, store: floor } = sessions;
    await registry.register('s1', details('철수'));
    await expect(registry.register('s1', details('other'))).rejects.toMatchObject({ code: 'session_taken' });
    for (const key of ['ws:session:s1', 'ws:session:s1:role', 'ws:user:철수']) {
      const left = await floor.call<number>('PTTL', key);
      expect(left, key).toBeGreaterThan(DAYS_30 - 5000);
      expect(left, key).toBeLessThanOrEqual(DAYS_30);
    }
    const found = (await directory.get('s1'))!;
    expect(found).toMatchObject({ user: '철수', role: 'AGENT', details: { userAgent: '브라우저' } });
    expect(found.ttl).toBeGreaterThan(DAYS_30 - 5000);
    expect(await registry.refresh(found, 2 * DAYS_30)).toBe('철수');
    expect(await floor.call<number>('PTTL', 'ws:user:철수')).toBeGreaterThan(2 * DAYS_30 - 5000);
    expect(await registry.renew('s1', '철수', found.details!, DAYS_30)).toBe('철수');
    expect(await directory.count()).toEqual({ sessions: 1, users: 1, skipped: 0 });
    expect((await directory.newest(10)).map(({ id }) => id)).toEqual(['s1']);
    await registry.unregister('s1', '철수', found.details!);
    expect(await directory.count()).toEqual({ sessions: 0, users: 0, skipped: 0 });
    expect((await floor.call<string[]>('KEYS', '*')).sort().filter((key) => !key.startsWith('ws:x:'))).toEqual([]);
  });

  it('checks types before the first write', async () => {
    await sessions.store.call('SET', 'ws:user:wrong', 'text');
    await expect(sessions.registry.register('s2', details('wrong'))).rejects.toMatchObject({ code: 'key_type' });
    expect(await sessions.store.call('EXISTS', 'ws:session:s2')).toBe(0);
  });

  it('lists what others wrote, and purges it', async () => {
    const { store: floor, directory, registry } = sessions;
    await floor.call('SET', 'ws:session:hand', 'u', 'EX', 1000);
    await floor.batch([
      ['SADD', 'ws:user:u', 'hand'],
      ['SADD', 'ws:sessions:all', 'hand'],
    ]);
    expect((await directory.sessionsOf('u')).sessions.map(({ id }) => id)).toEqual(['hand']);
    expect(await registry.purge((await directory.get('hand'))!)).toBe(true);
    expect(await directory.get('hand')).toBeUndefined();
  });

  it('asks a node and gets its answer', async () => {
    const asked: string[][] = [];
    const stop = await sessions.control.listen(
      INCARNATION,
      {
        kick: async ({ sessions: ids }) => {
          asked.push(ids);
          return ids.map((session_id) => ({ session_id, outcome: 'kicked' as const }));
        },
        describe: async () => [],
      },
      () => {},
    );
    const kick = { sessions: ['a'], action_id: 'x', reason: null };
    expect(await sessions.control.ask(INCARNATION, 'kick', kick, 2000)).toEqual({
      outcome: 'answered',
      results: [{ session_id: 'a', outcome: 'kicked' }],
    });
    expect(await sessions.control.ask('nobody', 'kick', kick, 100)).toEqual({ outcome: 'timeout' });
    expect(asked).toEqual([['a']]);
    stop();
  });

  it('gives a lease back', async () => {
    await sessions.nodes.release({ name: 'n1', incarnation: INCARNATION });
    expect(await sessions.nodes.list()).toEqual([]);
    await expect(sessions.registry.register('s3', details('u'))).rejects.toMatchObject({ code: 'lease_lost' });
  });

  it('knows these and no others', async () => {
    const client = await RawClient.open(store.port, PASSWORD);
    const { lua, sha } = generated.lease;
    expect(await client.call('SCRIPT', 'LOAD', Buffer.from(lua, 'utf8').toString('latin1'))).toBe(`$${sha}`);
    expect(await client.call('SCRIPT', 'EXISTS', sha, 'x')).toEqual([':1', ':0']);
    expect(await client.call('SCRIPT', 'LOAD', 'return 1')).toBe("-ERR only wssess's own scripts run here");
    expect(await client.call('EVAL', 'return 1', '0')).toBe("-ERR only wssess's own scripts run here");
    expect(await client.call('EVALSHA', 'f'.repeat(40), '0')).toMatch(/^-NOSCRIPT /);
    expect(await client.call('EVALSHA_RO', sha, '0')).toMatch(/^-ERR Can not execute a script with write flag/);
    client.close();
  });
});

/** Every conversion, and every fault but Lua's own, which 5.3 words otherwise than 5.1. Products are of floats: fengari's integers have 32 bits. */
const SCRIPTS = [
  "return redis.call('SET', KEYS[1], ARGV[1])",
  "return redis.call('GET', KEYS[1])",
  "return {1, 2.9, -3.7, 'a', true, false, {2, {}}, nil, 5}",
  "return {ok = 'FINE'}",
  "return {err = 'CODE text'}",
  "return redis.error_reply('My text')",
  "return redis.error_reply('-CODE text')",
  "return redis.status_reply('FINE')",
  'return 3000000000',
  "return redis.call('PTTL', 'absent')",
  "redis.call('SET', KEYS[1], 'v', 'PX', 2592000000) return redis.call('PTTL', KEYS[1]) > 2591990000",
  "redis.call('PEXPIRE', KEYS[1], redis.call('PTTL', KEYS[1])) return redis.call('PTTL', KEYS[1]) > 2591990000",
  "redis.call('SET', KEYS[1], 3000000000) return redis.call('GET', KEYS[1])",
  "redis.call('SET', KEYS[1], 0.1) return redis.call('GET', KEYS[1])",
  "redis.call('SET', KEYS[1], 10.0 * 1000000000.0) return redis.call('INCR', KEYS[1])",
  "return redis.pcall('SADD', KEYS[1])",
  "redis.call('DEL', KEYS[1]) redis.call('SADD', KEYS[1], 'x') return redis.call('GET', KEYS[1])",
  "return redis.pcall('GET', KEYS[1]).err",
  "return redis.call('TYPE', KEYS[1]).ok",
  "\nreturn redis.call('NOPE')",
  "return redis.call('GET')",
  "return redis.call('BLPOP', KEYS[1], '0')",
  "return redis.call('CLIENT', 'ID')",
  'return redis.call()',
  "return redis.call('SET', KEYS[1], {})",
  'return missing',
  "error('thrown')",
  "error({err = 'CODE thrown'})",
  "return #KEYS .. '/' .. #ARGV",
  'return ARGV[1]',
  'return string.sub(ARGV[1], 2, 3)',
  'return',
  '',
];

describeWithRedis('scripts beside Redis', () => {
  let redis: TestRedis;
  let store: Embedded;
  const shaOf = (lua: string) => createHash('sha1').update(lua).digest('hex');
  const withFlags = (lua: string) => `#!lua flags=allow-oom\n${lua}`;
  beforeAll(async () => {
    redis = await startRedis();
    store = await startStore({ scripts: SCRIPTS.map(withFlags).map((lua) => ({ lua, sha: shaOf(lua) })) });
  });
  afterAll(async () => {
    await redis.stop();
    await store.close();
  });

  it('say the same to the letter, and count the same', async () => {
    const [real, ours] = [await RawClient.open(redis.port), await RawClient.open(store.port, PASSWORD)];
    for (const client of [real, ours]) await client.call('CONFIG', 'RESETSTAT');
    for (const lua of SCRIPTS.map(withFlags)) {
      expect(await real.call('SCRIPT', 'LOAD', lua)).toBe(await ours.call('SCRIPT', 'LOAD', lua));
      const call = ['EVALSHA', shaOf(lua), '1', 'k\xff', 'a\x00\xffz'];
      expect(await ours.call(...call), lua).toEqual(await real.call(...call));
    }
    expect(await countsOf(ours)).toEqual(await countsOf(real));
    real.close();
    ours.close();
  });

  it('leave nothing behind, and are ended when they run away', async () => {
    const texts = [
      'leak = 1',
      "rawset(_G, 'KEYS', 'x') return 1",
      'return #KEYS',
      'while true do end',
      "return ('ok')",
    ];
    const scripts = texts.map((lua) => ({ lua, sha: shaOf(lua) }));
    const own = await startStore({ scripts });
    const client = await RawClient.open(own.port, PASSWORD);
    const replies = [];
    for (const { sha } of scripts) replies.push(await client.call('EVALSHA', sha, '0'));
    expect(replies).toEqual([
      expect.stringContaining('Attempt to modify a readonly table'),
      ':1',
      ':0',
      expect.stringContaining('ran for more than 1000 ms'),
      '$ok',
    ]);
    client.close();
    await own.close();
  });
});
