/** A Redis that is there and silent, or behind: nothing piles up, and the store comes back by itself. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ConnectOptions, connect } from '../../src/store/connect.ts';
import type { Store } from '../../src/store/store.ts';
import { type FaultProxy, startFaultProxy } from '../helpers/fault-proxy.ts';
import { faultOf } from '../helpers/floor.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { sleep, until, within } from '../helpers/wait.ts';

const TIMEOUT = 300;
const PATIENCE = 10_000;

describeWithRedis('Through a bad network', () => {
  let redis: TestRedis;
  let proxy: FaultProxy;
  let stores: Store[];

  beforeEach(async () => {
    redis = await startRedis();
    proxy = await startFaultProxy(redis.port);
    stores = [];
  });
  afterEach(async () => {
    for (const store of stores) store.close();
    await proxy.close();
    await redis.stop();
  });

  const open = async (over: Partial<ConnectOptions> = {}) => {
    const store = await connect({ url: proxy.url, source: 'test', timeout: TIMEOUT, lasting: true, ...over });
    stores.push(store);
    return store;
  };
  const answers = (store: Store) =>
    until(async () => (await store.call('PING').catch(() => '')) === 'PONG', PATIENCE, 'the store to answer again');

  test.each(['swallow', 'hold'] as const)(
    '%s: the connection is given up and not ready before Redis answers',
    async (fault) => {
      const store = await open();
      let readied = 0;
      store.onReady(() => readied++);
      proxy[fault]();
      expect((await within(faultOf(store.call('GET', 'a')))).code).toBe('redis_unreachable');
      await until(() => !store.ready, PATIENCE, 'the connection to be given up');
      // It connects again, to something that takes connections and says nothing.
      const made = proxy.made;
      await until(() => proxy.made > made + 2, PATIENCE, 'it to try again');
      expect([store.ready, readied]).toEqual([false, 0]);
      proxy.heal();
      await answers(store);
      await until(() => proxy.open === 1, PATIENCE, 'the connections that were given up to be gone');
      expect(readied).toBe(1);
    },
  );

  test('one way only: what Redis answers is lost', async () => {
    const store = await open();
    proxy.swallow('to client');
    expect((await within(faultOf(store.call('INCR', 'n')))).message).toMatch(/did not answer in time/);
    await until(() => !store.ready, PATIENCE, 'the connection to be given up');
    proxy.heal();
    await answers(store);
    expect(await redis.client.get('n')).toBe('1');
  });

  test('a slow one that answers is kept: late answers harm nobody', async () => {
    const store = await open({ timeout: 5000 });
    const made = proxy.made;
    proxy.delay(100);
    for (let i = 0; i < 20; i++) expect(await store.call('INCR', 'n')).toBe(i + 1);
    proxy.heal();
    expect([proxy.made, store.ready]).toEqual([made, true]);
  });

  test('a process that was too busy to read keeps its connection', async () => {
    const store = await open({ url: redis.url });
    const id = await store.call('CLIENT', 'ID');
    const outcome = store.call('PING').catch(({ code }: { code: string }) => code);
    await new Promise((sent) => setImmediate(sent));
    for (const end = performance.now() + 2 * TIMEOUT; performance.now() < end; );
    expect(['PONG', 'redis_unreachable']).toContain(await outcome);
    expect(await store.call('CLIENT', 'ID')).toBe(id);
  });

  test('while it hangs no more than 20,000 commands wait; the next fail at once, and say why', async () => {
    const store = await open({ timeout: 5000 });
    proxy.hold();
    const outcomes = new Map<string, number>();
    const sent: Promise<unknown>[] = [];
    for (let i = 0; i < 19_900; i++) sent.push(store.call('SET', `k${i}`, 'x').catch(() => {}));
    sent.push(store.batch(Array.from({ length: 100 }, () => ['PING'] as const)).catch(() => {}));
    for (let i = 0; i < 50; i++) {
      const { code, message } = await within(faultOf(store.call('PING')), 1000);
      outcomes.set(`${code} ${message}`, i + 1);
    }
    expect([...outcomes]).toEqual([
      [`redis_unreachable Redis at 127.0.0.1:${proxy.port} cannot be reached: it is behind with 20000 answers`, 50],
    ]);
    proxy.heal();
    await Promise.all(sent);
    await answers(store);
  });

  test('many that are late together give the connection up once, and are told the same', async () => {
    const warnings: Error[] = [];
    const heard = (warning: Error) => warnings.push(warning);
    process.on('warning', heard);
    const store = await open();
    proxy.hold();
    const faults = await Promise.all(Array.from({ length: 100 }, () => faultOf(store.call('PING'))));
    const why = 'it did not answer in time|the connection (?:was lost|is down)';
    for (const { message } of faults) expect(message).toMatch(new RegExp(`cannot be reached: (?:${why})$`));
    proxy.heal();
    await answers(store);
    process.off('warning', heard);
    expect(warnings).toEqual([]);
  });

  test('garbled: refused as no Redis, and healed', async () => {
    const store = await open();
    proxy.garble('to client');
    expect(['redis_refused', 'redis_unreachable']).toContain((await within(faultOf(store.call('PING')))).code);
    await sleep(50);
    proxy.heal();
    await answers(store);
  });

  test('cut, throttled and cut again', async () => {
    const store = await open();
    for (let i = 0; i < 3; i++) {
      proxy.cut();
      expect((await within(faultOf(store.call('PING')))).code).toBe('redis_unreachable');
      proxy.heal();
      proxy.throttle(10_000);
      await answers(store);
      expect(await store.call('ECHO', 'x'.repeat(500))).toHaveLength(500);
      proxy.heal();
    }
  });
});
