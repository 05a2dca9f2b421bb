/** serve and the CLI on a Redis behind a bad network, on one that is full, and on one that can only be read. */
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from 'vitest';
import { dropClients } from '../helpers/clients.ts';
import { type FaultProxy, startFaultProxy } from '../helpers/fault-proxy.ts';
import { openFloor } from '../helpers/floor.ts';
import { nothingLeft } from '../helpers/keys.ts';
import { type Serve, startServe, wssess } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { open, type Talk, talk } from '../helpers/talk.ts';
import { sleep, until, within } from '../helpers/wait.ts';

/** Milliseconds: --redis-timeout. */
const TIMEOUT = 1000;
/** Milliseconds, five times the promise: registered again within 5 s of Redis's answer. */
const RESTORED = 25_000;

describeWithRedis('a Redis that is hard to reach', () => {
  let redis: TestRedis;
  let proxy: FaultProxy;
  let serve: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    proxy = await startFaultProxy(redis.port);
    serve = await startServe(proxy.url, ['--node', 'far', '--redis-timeout', `${TIMEOUT}ms`, '--heart-beat', '0,0']);
  });
  afterEach(async () => {
    proxy.heal();
    await redis.client.call('REPLICAOF', 'NO', 'ONE');
    await redis.client.config('SET', 'maxmemory', '0');
    dropClients();
    await ready(200);
    await nothingLeft(redis, RESTORED);
  });
  afterAll(async () => {
    await serve?.stop();
    await proxy?.close();
    await redis?.stop();
  });

  const ready = (status: number) =>
    until(async () => (await serve.rest('/readyz')).status === status, 60_000, `readyz ${status}`);
  const registered = (...clients: Talk[]) =>
    until(
      async () => {
        const ids = (await redis.client.smembers('ws:sessions:all')).sort();
        const live = await Promise.all(clients.map(({ session }) => redis.client.exists(`ws:session:${session}`)));
        const own = clients.map(({ session }) => session).sort();
        return live.every((one) => one === 1) && JSON.stringify(ids) === JSON.stringify(own);
      },
      RESTORED,
      'Redis to hold these sessions and no other',
    );
  /** CONNECT, and how the server refuses it. */
  const refused = async () => {
    const client = await open(serve.ws);
    client.say('CONNECT', { 'accept-version': '1.2', userId: 'late' });
    const { code } = await within(client.closed, 20_000, 'the refusal');
    expect(client.frames('CONNECTED')).toEqual([]);
    expect(client.frames('ERROR')[0]?.header('message')).toBe('try again later');
    return code;
  };

  it.each(['swallow', 'hold', 'cut', 'garble'] as const)(
    '%s: sockets stay and talk, CONNECT is refused, not ready; healed, Redis holds who is there',
    { timeout: 180_000 },
    async (fault) => {
      const [one, two, leaver] = [
        await talk(serve.ws, 'one'),
        await talk(serve.ws, 'two'),
        await talk(serve.ws, 'bye'),
      ];
      await two.sure('SUBSCRIBE', { id: '1', destination: '/topic/a' });
      proxy[fault]();
      expect(await refused()).toBe(1013);
      await one.sure('SEND', { destination: '/topic/a' }, 'during');
      expect((await two.wait('MESSAGE')).body.toString()).toBe('during');
      leaver.socket.terminate();
      await ready(503);
      proxy.heal();
      await registered(one, two);
      await ready(200);
      expect((await serve.rest(`/api/session/${one.session}`, 'DELETE')).body.outcome).toBe('kicked');
      expect((await within(one.closed)).code).toBe(4001);
      expect(two.socket.readyState).toBe(1);
      expect(serve.stderr()).not.toMatch(/\n\s+at /);
    },
  );

  it('slower than its time-out: CONNECT is refused; what Redis did late leaves no ghost', {
    timeout: 120_000,
  }, async () => {
    const staying = await talk(serve.ws, 'staying');
    proxy.delay(3 * TIMEOUT, 'to server');
    // Their registration arrives, when the connection that it was sent on is long given up.
    const codes = await Promise.all(Array.from({ length: 20 }, refused));
    expect(new Set(codes)).toEqual(new Set([1013]));
    proxy.delay(0);
    await until(async () => (await redis.client.scard('ws:sessions:all')) >= 1, RESTORED);
    await sleep(3 * TIMEOUT);
    await registered(staying);
  });

  it('a failover that lost writes, though the lease survived: written again, and who had left is gone', {
    timeout: 120_000,
  }, async () => {
    const [lost, leaver] = [await talk(serve.ws, 'lost', { userRole: 'AGENT' }), await talk(serve.ws, 'leaver')];
    const floor = await openFloor(redis);
    try {
      const { details } = (await floor.directory.get(leaver.session))!;
      leaver.say('DISCONNECT', { receipt: 'bye' });
      await leaver.closed;
      // What a replica looks like that missed the last seconds.
      await floor.registry.register(leaver.session, details!);
      const { session } = lost;
      await redis.client.del(
        `ws:session:${session}`,
        `ws:session:${session}:role`,
        `ws:x:details:${session}`,
        'ws:user:lost',
      );
      await redis.client.srem('ws:sessions:all', session);
      proxy.reset();
      await registered(lost);
      expect(await redis.client.get(`ws:session:${session}:role`)).toBe('AGENT');
      expect(await redis.client.pttl(`ws:session:${session}`)).toBeGreaterThan(86_000_000);
    } finally {
      floor.store.close();
    }
  });

  it('full: not ready and CONNECT refused, who leaves is removed; with room again all is well', {
    timeout: 120_000,
  }, async () => {
    const [staying, leaver] = [await talk(serve.ws, 'staying'), await talk(serve.ws, 'leaver')];
    await redis.client.config('SET', 'maxmemory', '1');
    expect(await refused()).toBe(1013);
    await ready(503);
    leaver.socket.terminate();
    await registered(staying);
    // Lost as well, and there is no room to write it again: its client gives no sign, and it is not forgotten.
    await redis.client.flushall();
    await until(
      async () => (await redis.client.exists('ws:x:node:far')) === 1,
      RESTORED,
      'the lease to be taken again',
    );
    await sleep(TIMEOUT);
    await redis.client.config('SET', 'maxmemory', '0');
    await registered(staying);
    await ready(200);
    await registered(staying, await talk(serve.ws, 'new'));
  });

  it('full for longer than a TTL: whose client gives signs is seen and can be thrown out, whose gives none expires', {
    timeout: 120_000,
  }, async () => {
    const short = await startServe(proxy.url, ['--node', 'short', '--ttl', '4s', '--heart-beat', '0,0']);
    const [active, silent] = [await talk(short.ws, 'active'), await talk(short.ws, 'silent')];
    const beats = setInterval(() => active.socket.send('\n'), 200);
    try {
      await redis.client.config('SET', 'maxmemory', '1');
      expect((await within(silent.closed, 60_000, 'the end of who is silent')).code).toBe(4005);
      const end = performance.now() + 8000;
      while (performance.now() < end) {
        expect((await short.rest('/api/session/user/active/online')).body).toMatchObject({ sessionCount: 1 });
        await sleep(100);
      }
      expect((await short.rest(`/api/session/${active.session}`, 'DELETE')).body).toMatchObject({ outcome: 'kicked' });
    } finally {
      clearInterval(beats);
      await redis.client.config('SET', 'maxmemory', '0');
      expect(await short.stop()).toBe(0);
    }
  });

  it('a replica, for longer than the lease: not ready and CONNECT refused; a master again, all is written again', {
    timeout: 180_000,
  }, async () => {
    const [staying, leaver] = [await talk(serve.ws, 'staying'), await talk(serve.ws, 'leaver')];
    await redis.client.call('REPLICAOF', '127.0.0.1', '1');
    expect(await refused()).toBe(1013);
    leaver.socket.terminate();
    await ready(503);
    expect(staying.socket.readyState).toBe(1);
    await redis.client.call('REPLICAOF', 'NO', 'ONE');
    await registered(staying);
  });
});

describeWithRedis('--redis-down accept', () => {
  let redis: TestRedis;
  let serve: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    const args = ['--node', 'lenient', '--redis-down', 'accept', '--max-user-sessions', '2', '--heart-beat', '0,0'];
    serve = await startServe(redis.url, args);
  });
  afterEach(async () => {
    dropClients();
    await nothingLeft(redis);
  });
  afterAll(async () => {
    await serve?.stop();
    await redis?.stop();
  });

  const ready = (status: number) =>
    until(async () => (await serve.rest('/readyz')).status === status, 60_000, `readyz ${status}`);

  it('CONNECT is answered; registered when Redis is back, and who is one too many is closed with an ERROR', {
    timeout: 120_000,
  }, async () => {
    const before = await talk(serve.ws, 'kim');
    await redis.kill();
    await ready(503);
    const during = [await talk(serve.ws, 'kim'), await talk(serve.ws, 'kim')];
    const [other, leaver] = [await talk(serve.ws, 'lee', { userRole: 'AGENT' }), await talk(serve.ws, 'gone')];
    expect(new Set([before, ...during, other, leaver].map(({ session }) => session)).size).toBe(5);
    await other.sure('SUBSCRIBE', { id: '1', destination: '/topic/a' });
    await during[0]!.sure('SEND', { destination: '/topic/a' }, 'hello');
    expect((await other.wait('MESSAGE')).body.toString()).toBe('hello');
    leaver.say('DISCONNECT', { receipt: 'bye' });
    expect((await leaver.closed).code).toBe(1000);
    await redis.restart();
    const all = [before, ...during];
    const isClosed = () => all.filter(({ socket }) => socket.readyState === 3);
    await until(() => isClosed().length === 1, RESTORED, 'one too many to be closed');
    const [closed] = isClosed() as [Talk];
    expect((await closed.closed).code).toBe(1008);
    expect(closed.frames('ERROR')[0]?.header('message')).toBe('more than 2 sessions of one user');
    await ready(200);
    const stay = [...all.filter((one) => one !== closed), other].map(({ session }) => session).sort();
    await until(
      async () => JSON.stringify((await redis.client.smembers('ws:sessions:all')).sort()) === JSON.stringify(stay),
      RESTORED,
      'the others to be registered',
    );
    expect(await redis.client.get(`ws:session:${other.session}:role`)).toBe('AGENT');
    expect((await serve.rest(`/api/session/${other.session}`, 'DELETE')).body.outcome).toBe('kicked');
    expect((await within(other.closed)).code).toBe(4001);
  });

  it('is refused while Redis is there: one more than a user may have gets no CONNECTED', async () => {
    const [_, second] = [await talk(serve.ws, 'kim'), await talk(serve.ws, 'kim')];
    const third = await open(serve.ws);
    third.say('CONNECT', { 'accept-version': '1.2', userId: 'kim' });
    expect((await within(third.closed)).code).toBe(1008);
    expect(third.frames('CONNECTED')).toEqual([]);
    await second.sure('SEND', { destination: '/topic/a' }, 'x');
  });
});

describeWithRedis('SIGTERM', () => {
  it.each(['killed', 'hanging'])(
    'while Redis is %s: sockets are closed, exit 0, and what stays behind is said',
    {
      timeout: 90_000,
    },
    async (how) => {
      const redis = await startRedis();
      const serve = await startServe(redis.url, ['--node', 'ending', '--redis-timeout', `${TIMEOUT}ms`]);
      try {
        const clients = await Promise.all(Array.from({ length: 300 }, (_, i) => talk(serve.ws, `u${i}`)));
        if (how === 'killed') await redis.kill();
        else redis.pause();
        expect(await serve.stop()).toBe(0);
        for (const { closed } of clients) expect((await closed).code).toBe(1001);
        expect(serve.stderr()).toMatch(/warn Redis did not take the end of all sessions/);
        expect(serve.stderr()).not.toMatch(/\n\s+at /);
      } finally {
        dropClients();
        redis.resume();
        await redis.stop();
      }
    },
  );
});

describeWithRedis('the CLI on a Redis that is hard to reach', () => {
  let redis: TestRedis;
  let proxy: FaultProxy;

  beforeAll(async () => {
    redis = await startRedis();
    proxy = await startFaultProxy(redis.port);
  });
  afterAll(async () => {
    await proxy?.close();
    await redis?.stop();
  });

  const COMMANDS = ['ls', 'who kim', 'show id', 'kick id', 'refresh id', 'stats', 'nodes', 'serve --port 0'];

  describe.each(['swallow', 'hold', 'cut', 'garble'] as const)('%s', (fault) => {
    test.each(COMMANDS)('%s: one line, exit 5', async (line) => {
      proxy.heal();
      proxy[fault]();
      const env = { WSSESS_REDIS_URL: proxy.url, WSSESS_REDIS_TIMEOUT: '500ms' };
      const { code, stdout, stderr } = await wssess(line.split(' '), { env });
      expect({ code, stdout }).toEqual({ code: 5, stdout: '' });
      expect(stderr).toMatch(/^error: Redis at 127\.0\.0\.1:\d+[^\n]+\. [^\n]+\n$/);
    });
  });
});
