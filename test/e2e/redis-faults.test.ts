/** Redis killed and restarted under serve, and what keeps serve from starting. */
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { dropClients } from '../helpers/clients.ts';
import { nothingLeft } from '../helpers/keys.ts';
import { type Ran, type Serve, startServe, wssess } from '../helpers/program.ts';
import { describeWithRedis, freePort, startRedis, type TestRedis } from '../helpers/redis.ts';
import { talk } from '../helpers/talk.ts';
import { sleep, until } from '../helpers/wait.ts';

const TTL = 4000;

describeWithRedis('Redis killed and restarted empty', () => {
  let redis: TestRedis;
  let serve: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    serve = await startServe(redis.url, ['--node', 'faults-a', '--ttl', `${TTL}ms`]);
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
    until(async () => (await serve.rest('/readyz')).status === status, 25_000, `readyz ${status}`);

  it('sockets stay up, who is active is written again, who left meanwhile leaves nothing behind', {
    timeout: 120_000,
  }, async () => {
    const active = await talk(serve.ws, 'active', { userRole: 'CUSTOMER' });
    const listener = await talk(serve.ws, 'listener');
    const [polite, rude] = [await talk(serve.ws, 'polite'), await talk(serve.ws, 'rude')];
    await listener.sure('SUBSCRIBE', { id: '1', destination: '/topic/a' });
    const beats = setInterval(() => {
      for (const client of [active, listener]) client.send('\n');
    }, 200);
    try {
      await redis.kill();
      await ready(503);
      polite.say('DISCONNECT', { receipt: 'bye' });
      expect((await polite.closed).code).toBe(1000);
      rude.socket.terminate();
      await active.sure('SEND', { destination: '/topic/a' }, 'during');
      expect((await listener.wait('MESSAGE')).body.toString()).toBe('during');
      await redis.restart();
      await ready(200);
      const own = ['active', 'listener'];
      await until(
        async () => (await serve.rest('/api/session/stats')).body.totalActiveSessions === own.length,
        5 * TTL,
        'both to be written again',
      );
      expect(await redis.client.get(`ws:session:${active.session}:role`)).toBe('CUSTOMER');
      expect(await redis.client.pttl(`ws:session:${active.session}`)).toBeGreaterThan(0);
      for (const user of own) expect((await serve.rest(`/api/session/user/${user}`)).body.sessionCount).toBe(1);
      for (const user of ['polite', 'rude']) {
        expect((await serve.rest(`/api/session/user/${user}`)).body.isOnline).toBe(false);
        expect(await redis.client.exists(`ws:user:${user}`)).toBe(0);
      }
      await active.sure('SEND', { destination: '/topic/a' }, 'after');
      expect((await listener.wait('MESSAGE', 2)).body.toString()).toBe('after');
      // The control channel is listened to again.
      expect((await serve.rest(`/api/session/${active.session}`, 'DELETE')).body.outcome).toBe('kicked');
    } finally {
      clearInterval(beats);
    }
    expect(serve.process.exitCode).toBeNull();
    expect(serve.stderr()).not.toMatch(/\n\s+at /);
  });

  it('a session that expires during the outage is closed once Redis is back', { timeout: 120_000 }, async () => {
    const silent = await talk(serve.ws, 'silent');
    await redis.kill();
    await ready(503);
    await sleep(TTL + 500); // nothing shows it while Redis is away
    expect(silent.socket.readyState).toBe(1);
    await redis.restart();
    expect((await silent.closed).code).toBe(4005);
    await ready(200);
  });
});

describeWithRedis('serve does not start', () => {
  let redis: TestRedis;

  beforeAll(async () => {
    redis = await startRedis('--requirepass', 'secret-1');
  });
  afterAll(async () => {
    await redis?.stop();
  });

  const serve = (args: string[], password = 'secret-1', url = `redis://:${password}@127.0.0.1:${redis.port}`) =>
    wssess(['serve', '--port', '0', ...args], { env: { WSSESS_REDIS_URL: url } });
  const expectOneLine = ({ code, stdout, stderr }: Ran, exit: number, message: RegExp) => {
    expect({ code, stdout }).toEqual({ code: exit, stdout: '' });
    expect(stderr).toMatch(/^error: [^\n]+\n$/);
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain('secret');
  };

  it('where nothing listens: one line and exit 5', async () => {
    const port = await freePort();
    expectOneLine(await serve([], '', `redis://:secret-2@127.0.0.1:${port}`), 5, new RegExp(`127\\.0\\.0\\.1:${port}`));
  });

  it('with a wrong password, and with none: one line and exit 4', async () => {
    expectOneLine(await serve([], 'secret-2'), 4, /WRONGPASS/);
    expectOneLine(await serve([], '', redis.url), 4, /NOAUTH/);
  });

  it('on a port in use: one line and exit 1', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    try {
      expectOneLine(await serve(['--port', String(port)]), 1, new RegExp(`127\\.0\\.0\\.1:${port} is in use`));
    } finally {
      taken.close();
    }
  });

  it.each(['0.0.0.0', '::', '192.0.2.1', 'example.org'])('with --host %s: one line and exit 2', async (host) => {
    expectOneLine(await serve(['--host', host]), 2, /loopback/);
  });

  it('on keys of a newer wssess: one line and exit 1, and nothing is written', async () => {
    await redis.client.set('ws:x:schema', '2');
    expectOneLine(await serve([]), 1, /layout/);
    expect(await redis.keys()).toEqual(['ws:x:schema']);
    expect(await redis.client.get('ws:x:schema')).toBe('2');
    await redis.client.del('ws:x:schema');
  });

  it('with a password in --redis, a URL that is none, an unknown flag: one line and exit 2', async () => {
    const bare = (args: string[]) => wssess(['serve', '--port', '0', ...args]);
    expectOneLine(await bare(['--redis', `redis://:secret-1@127.0.0.1:${redis.port}`]), 2, /ps/);
    expectOneLine(await bare(['--redis', 'http://127.0.0.1']), 2, /redis:\/\//);
    expectOneLine(await bare(['--nosuch']), 2, /--nosuch/);
  });
});
