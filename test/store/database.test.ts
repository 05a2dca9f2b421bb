/** The database and the user that a URL names, or a clear error: never another database, never another user. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { connect } from '../../src/store/connect.ts';
import type { Store } from '../../src/store/store.ts';
import { faultOf } from '../helpers/floor.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { until, within } from '../helpers/wait.ts';

const TIMEOUT = 500;
const PATIENCE = 10_000;

describeWithRedis('The database of the URL', () => {
  let redis: TestRedis;
  const stores: Store[] = [];
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.stop());
  beforeEach(async () => {
    await redis.client.flushall();
    await redis.client.call('ACL', 'SETUSER', 'anna', 'reset', 'on', '>secret', '~*', '&*', '+@all');
  });
  afterEach(() => {
    for (const store of stores.splice(0)) store.close();
  });
  const open = async (path: string, { lasting = false, who = '' } = {}): Promise<Store> => {
    const url = `${redis.url.replace('//', `//${who}`)}${path}`;
    const store = await connect({ url, source: 'WSSESS_REDIS_URL', timeout: TIMEOUT, lasting });
    stores.push(store);
    return store;
  };
  const anna = 'anna:secret@';
  /** Drops her connections, as a restart of Redis would. */
  const drop = () => redis.client.call('CLIENT', 'KILL', 'USER', 'anna');

  test.each([false, true])('one that Redis does not have is refused (lasting: %s)', async (lasting) => {
    const fault = await faultOf(within(open('/99', { lasting }), PATIENCE));
    expect([fault.code, fault.message, fault.exit]).toEqual([
      'redis_refused',
      `Redis at 127.0.0.1:${redis.port}/99: ERR DB index is out of range`,
      5,
    ]);
  });

  test.each([false, true])('one that the user may not select is denied (lasting: %s)', async (lasting) => {
    await redis.client.call('ACL', 'SETUSER', 'anna', '-select');
    const fault = await faultOf(within(open('/1', { lasting, who: anna }), PATIENCE));
    expect([fault.code, fault.exit]).toEqual(['redis_denied', 4]);
    expect(fault.message).toMatch(/^Redis at 127\.0\.0\.1:\d+\/1: NOPERM .*'select'/);
    // Where none is named, none is selected.
    expect(await (await open('', { lasting, who: anna })).call('PING')).toBe('PONG');
  });

  test('a wait and a listening are in it too, or denied', async () => {
    const store = await open('/3', { who: anna });
    await redis.client.rpush('list', 'of database 0');
    redis.cli('-n', '3', 'RPUSH', 'list', 'of database 3');
    expect(await store.pop('list', 1000)).toBe('of database 3');
    await redis.client.call('ACL', 'SETUSER', 'anna', '-select');
    const first = store.pop('first', 300); // it has the connection that there is
    expect((await faultOf(store.pop('list', 300))).code).toBe('redis_denied');
    expect((await faultOf(store.subscribe(['a'], () => {}))).code).toBe('redis_denied');
    expect(await first).toBeUndefined();
    expect(await redis.client.lrange('list', 0, -1)).toEqual(['of database 0']);
  });

  test('after a reconnect it is selected again; while that is denied, nothing is sent to another', async () => {
    const store = await open('/3', { lasting: true, who: anna });
    const heard: string[] = [];
    await store.subscribe(['a'], (_, message) => heard.push(message));
    await store.call('INCR', 'n');

    await redis.client.call('ACL', 'SETUSER', 'anna', '-select');
    await drop();
    await until(() => !store.ready, PATIENCE, 'the loss to be noticed');
    const codes = new Set<string>();
    await until(
      async () => {
        const faults = [store.call('INCR', 'n'), store.batch([['INCR', 'n']])].map((one) => faultOf(one));
        for (const { code } of await Promise.all(faults)) codes.add(code);
        return codes.has('redis_denied');
      },
      PATIENCE,
      'the denial to be told',
    );
    expect(store.ready).toBe(false);
    expect(await redis.client.exists('n')).toBe(0);

    await redis.client.call('ACL', 'SETUSER', 'anna', '+select');
    await until(() => store.ready, PATIENCE, 'the store to be ready');
    expect(await store.call('INCR', 'n')).toBe(2);
    expect(await redis.client.exists('n')).toBe(0);
    await until(async () => (await redis.client.publish('a', 'again')) === 1, PATIENCE, 'the subscription');
    await until(() => heard.includes('again'), PATIENCE, 'the message');
  });

  test('a user that is none never acts as the default user, nor one whose password was changed', async () => {
    const denied = await faultOf(open('', { who: 'nobody:secret@' }));
    expect([denied.code, denied.message]).toEqual([
      'redis_denied',
      expect.stringContaining('WRONGPASS') as unknown as string,
    ]);
    const store = await open('', { lasting: true, who: anna });
    await redis.client.call('ACL', 'SETUSER', 'anna', 'resetpass', '>other');
    await drop();
    await until(() => !store.ready, PATIENCE, 'the loss to be noticed');
    await until(
      async () => (await faultOf(store.call('INCR', 'n'))).code === 'redis_denied',
      PATIENCE,
      'the denial to be told',
    );
    expect(await redis.client.exists('n')).toBe(0);
  });

  test('a password that the default user does not need does no harm, and nothing is said of it', async () => {
    const said: unknown[] = [];
    const { warn } = console;
    console.warn = (...words) => said.push(words);
    try {
      const store = await open('/3', { who: ':needless@', lasting: true });
      await store.subscribe(['a'], () => {});
      expect(await store.pop('none', 10)).toBeUndefined();
      await redis.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await until(() => !store.ready, PATIENCE, 'the loss to be noticed');
      await until(() => store.ready, PATIENCE, 'the store to be ready');
      expect(await store.call('SET', 'a', 1)).toBe('OK');
    } finally {
      console.warn = warn;
    }
    expect(said).toEqual([]);
    expect(redis.cli('-n', '3', 'GET', 'a')).toBe('1');
  });

  test('a password is in no error', async () => {
    const fault = await faultOf(open('', { who: 'anna:wrong-secret@' }));
    expect(JSON.stringify({ ...(fault.cause as object) })).not.toContain('wrong-secret');
  });
});
