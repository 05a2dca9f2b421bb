/** The master that Sentinels name, through a failover, and what is said when they don't name one. */
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/store/connect.ts';
import type { Script, Store } from '../../src/store/store.ts';
import { faultOf } from '../helpers/floor.ts';
import { describeWithRedis, freePort } from '../helpers/redis.ts';
import { startSentinel, type TestSentinel } from '../helpers/redis-sentinel.ts';
import { until, within } from '../helpers/wait.ts';

const TIMEOUT = 1000;
/** Five times what a failover takes here. */
const PATIENCE = 30_000;

const SCRIPT = "return redis.call('INCR', KEYS[1])";

describeWithRedis('Sentinel', () => {
  let set: TestSentinel;
  const stores: Store[] = [];
  const open = async (url: string, lasting = false): Promise<Store> => {
    const store = await connect({ url, source: 'WSSESS_REDIS_URL', timeout: TIMEOUT, lasting });
    stores.push(store);
    return store;
  };
  beforeAll(async () => {
    set = await startSentinel();
  }, 60_000);
  afterAll(() => set?.stop());
  afterEach(() => {
    for (const store of stores.splice(0)) store.close();
  });

  test('the master is used, in the database that is named', async () => {
    const master = await set.master();
    const store = await open(set.url.replace('#', '/3#'));
    expect(await store.call('SET', 'where', 'here')).toBe('OK');
    expect(store.where).toBe(set.url.replace('redis-sentinel://', '').replace('#', '/3#'));
    const other = master.client.duplicate({ db: 3 });
    expect(await other.get('where')).toBe('here');
    other.disconnect();
  });

  test('Sentinels that are gone or silent cost little, and any one is enough', async () => {
    const gone = `127.0.0.1:${await freePort()}`;
    const silent = set.sentinels[0]!;
    silent.process.kill('SIGSTOP');
    try {
      const url = set.url.replace('//', `//${gone},`);
      // The silent one is asked after the first, and waited for no longer than until the next is asked.
      for (let i = 0; i < 4; i++) expect(await (await within(open(url), PATIENCE)).call('PING')).toBe('PONG');
    } finally {
      silent.process.kill('SIGCONT');
    }
  });

  test.each([false, true])('none is there, or none answers: one clear line (lasting: %s)', async (lasting) => {
    const [one, two] = [await freePort(), await freePort()];
    const fault = await faultOf(within(open(`redis-sentinel://127.0.0.1:${one},127.0.0.1:${two}#mymaster`, lasting)));
    expect([fault.code, fault.exit, fault.message]).toEqual([
      'redis_unreachable',
      5,
      `no master is found by way of 127.0.0.1:${one}, 127.0.0.1:${two}: Sentinel at 127.0.0.1:${one} cannot be reached: nothing listens there; Sentinel at 127.0.0.1:${two} cannot be reached: nothing listens there`,
    ]);
    const { process, port } = set.sentinels[1]!;
    process.kill('SIGSTOP');
    try {
      const silent = await faultOf(within(open(`redis-sentinel://127.0.0.1:${port}#mymaster`, lasting), PATIENCE));
      expect([silent.code, silent.message]).toEqual([
        'redis_unreachable',
        expect.stringContaining('in time') as unknown as string,
      ]);
    } finally {
      process.kill('SIGCONT');
    }
  });

  test('a master that they do not know, and what is no Sentinel, are told with advice', async () => {
    const unknown = await faultOf(open(set.url.replace('mymaster', 'other')));
    expect([unknown.code, unknown.exit]).toEqual(['redis_refused', 5]);
    expect(unknown.message).toMatch(/^Sentinel at 127\.0\.0\.1:\d+ knows no master other$/);
    const { port } = await set.master();
    const plain = await faultOf(open(`redis-sentinel://127.0.0.1:${port}#mymaster`));
    expect([plain.code, plain.advice]).toEqual(['redis_refused', 'It is no Sentinel: name it as redis://host:port.']);
    const { message, advice } = await faultOf(
      (await open(`redis://127.0.0.1:${set.sentinels[0]!.port}`)).call('GET', 'x'),
    );
    expect(message).toContain('ERR unknown command');
    expect(advice).toContain('redis-sentinel://host:port#master');
  });

  test('a password of the Sentinels is theirs, that of the URL is for Redis', async () => {
    const own = await startSentinel({ sentinels: 1, password: 'guard' });
    try {
      const denied = await faultOf(open(own.url));
      expect([denied.code, denied.exit]).toEqual(['redis_denied', 4]);
      expect(denied.message).toMatch(/^Sentinel at 127\.0\.0\.1:\d+: NOAUTH/);
      expect(denied.advice).toContain('sentinel_password');
      const wrong = await faultOf(open(own.url.replace('#', '?sentinel_password=wr0ng#')));
      expect(wrong.code).toBe('redis_denied');
      expect(JSON.stringify(wrong) + wrong.message + wrong.advice).not.toContain('wr0ng');
      expect(await (await open(own.url.replace('#', '?sentinel_password=guard#'))).call('PING')).toBe('PONG');
    } finally {
      await own.stop();
    }
  }, 60_000);

  describe('a failover', () => {
    test('commands, scripts, listening and waiting go on at the new master; onReady is called', async () => {
      const store = await open(set.url, true);
      let readied = 0;
      store.onReady(() => readied++);
      const heard: string[] = [];
      await store.subscribe(['a'], (_, message) => heard.push(message));
      const sha = await store.call<string>('SCRIPT', 'LOAD', SCRIPT);
      const script: Script = { name: 'test', lua: SCRIPT, sha, readOnly: false };
      await store.run(script, ['n']);
      await store.pop('none', 10); // leaves an idle connection
      const old = await set.master();
      const faults: Promise<unknown>[] = [];
      const ticking = setInterval(
        () => faults.push(within(store.run(script, ['n']), 10 * TIMEOUT).catch((error) => error)),
        20,
      );
      await set.failover();
      await until(() => readied > 0 && store.ready, PATIENCE, 'the store to be ready');
      clearInterval(ticking);
      // Each ended: done, or with an error that says so.
      for (const one of await Promise.all(faults)) {
        if (typeof one === 'number') continue;
        expect(['redis_unreachable', 'redis_refused']).toContain((one as { code: string }).code);
      }
      const master = await set.master();
      expect(master.port).not.toBe(old.port);
      await until(() => store.call('SET', 'after', 1).catch(() => false), PATIENCE, 'a write');
      expect(await master.client.get('after')).toBe('1');
      await master.client.script('FLUSH');
      expect(await store.run(script, ['m'])).toBe(1);
      await until(async () => (await master.client.publish('a', 'again')) === 1, PATIENCE, 'the subscription');
      await until(() => heard.includes('again'), PATIENCE, 'the message');
      const waits = store.pop('list', PATIENCE);
      await master.client.rpush('list', 'x');
      expect(await waits).toBe('x');
    }, 120_000);

    test('a master that is silent is left for the next, and one that is a replica is not taken', async () => {
      const store = await open(set.url, true);
      const old = await set.master();
      old.process.kill('SIGSTOP');
      try {
        await until(async () => (await set.master()).port !== old.port, PATIENCE, 'another master');
        await until(() => store.call('SET', 'silent', 1).catch(() => false), PATIENCE, 'a write');
        expect(await (await set.master()).client.get('silent')).toBe('1');
      } finally {
        old.process.kill('SIGCONT');
      }
      await until(
        async () => (await old.client.info('replication').catch(() => '')).includes('role:slave'),
        PATIENCE,
        'the old one to be a replica',
      );
    }, 120_000);

    test('what Sentinels still name, though it is a replica by now, is not taken', async () => {
      const master = await set.master();
      const replica = set.heir(master);
      const late = createServer((socket) => {
        const port = String(replica.port);
        socket.on('error', () => {});
        socket.on('data', () => socket.write(`*2\r\n$9\r\n127.0.0.1\r\n$${port.length}\r\n${port}\r\n`));
      });
      await new Promise<void>((resolve) => late.listen(0, '127.0.0.1', resolve));
      const { port } = late.address() as { port: number };
      try {
        const fault = await faultOf(open(`redis-sentinel://127.0.0.1:${port}#mymaster`));
        expect([fault.code, fault.exit, fault.message]).toEqual([
          'redis_unreachable',
          5,
          `Redis at 127.0.0.1:${port}#mymaster: what its Sentinels name as the master is a replica`,
        ]);
      } finally {
        late.close();
      }
    });

    test('a command ends at once, with one line that says what it is', async () => {
      const set = await startSentinel({ sentinels: 1 });
      try {
        const master = await set.master();
        const store = await open(set.url);
        master.process.kill('SIGKILL');
        const fault = await faultOf(until(() => store.call('GET', 'x').then(() => false), PATIENCE));
        expect([fault.code, fault.exit]).toEqual(['redis_unreachable', 5]);
        const dead = await faultOf(open(set.url)); // the Sentinel has not noticed
        expect([dead.code, dead.message]).toEqual([
          'redis_unreachable',
          `Redis at ${store.where}, its master 127.0.0.1:${master.port} cannot be reached: nothing listens there`,
        ]);
      } finally {
        await set.stop();
      }
    }, 60_000);
  });
});
