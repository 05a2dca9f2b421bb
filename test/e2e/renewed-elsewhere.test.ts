/** Sessions of a node that others write to as well, or that Redis has lost. */
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { dropClients } from '../helpers/clients.ts';
import { nothingLeft } from '../helpers/keys.ts';
import { type Serve, startServe, wssess } from '../helpers/program.ts';
import { describeWithRedis, startRedis, type TestRedis } from '../helpers/redis.ts';
import { talk } from '../helpers/talk.ts';
import { sleep, until } from '../helpers/wait.ts';

describeWithRedis('a session of a node', () => {
  let redis: TestRedis;
  let serve: Serve;
  let long: Serve;

  beforeAll(async () => {
    redis = await startRedis();
    [serve, long] = await Promise.all([
      startServe(redis.url, ['--node', 'short', '--ttl', '1s', '--heart-beat', '0,0']),
      startServe(redis.url, ['--node', 'long']),
    ]);
  });
  afterEach(async () => {
    dropClients();
    await nothingLeft(redis);
  });
  afterAll(async () => {
    await Promise.all([serve?.stop(), long?.stop()]);
    await redis?.stop();
  });

  it("that another program renews by its session key alone keeps its role, its place in the user's set, its details", async () => {
    const { session } = await talk(serve.ws, 'cust99', { userRole: 'CUSTOMER' });
    await redis.client.expire(`ws:session:${session}`, 3600);
    await sleep(2500); // past the deadline that its owner knew
    const keys = [`ws:session:${session}:role`, 'ws:user:cust99', `ws:x:details:${session}`];
    for (const key of keys) expect(await redis.client.ttl(key), key).toBeGreaterThan(3000);
    expect((await serve.rest('/api/session/user/cust99/online')).body.isOnline).toBe(true);
    const kicked = await serve.rest(`/api/session/${session}`, 'DELETE');
    expect([kicked.status, kicked.body.outcome]).toEqual([200, 'kicked']);
  });

  it('that an emptied Redis has lost is written again, long before its TTL ends', async () => {
    const silent = await talk(long.ws, 'cust01', { userRole: 'CUSTOMER' });
    await redis.client.flushall();
    const back = async () => (await long.rest('/api/session/user/cust01')).body.sessionCount === 1;
    await until(back, 25_000, 'the session to be written again');
    expect(await redis.client.get(`ws:session:${silent.session}:role`)).toBe('CUSTOMER');
    expect(await redis.client.ttl(`ws:session:${silent.session}`)).toBeGreaterThan(86_000);
    expect((await long.rest(`/api/session/${silent.session}`, 'DELETE')).body.outcome).toBe('kicked');
  });

  it('can be seen and thrown out while Redis is full', async () => {
    const client = await talk(long.ws, 'full');
    await redis.client.config('SET', 'maxmemory', '1');
    try {
      const env = { WSSESS_REDIS_URL: redis.url };
      const who = await wssess(['who', 'full', '-o', 'json'], { env });
      expect([who.code, JSON.parse(who.stdout).session_count]).toEqual([0, 1]);
      const kick = await wssess(['kick', client.session, '-o', 'json'], { env });
      expect(JSON.parse(kick.stdout).results).toMatchObject([{ outcome: 'kicked' }]);
      expect(kick.code).toBe(0);
      expect((await client.closed).code).toBe(4001);
    } finally {
      await redis.client.config('SET', 'maxmemory', '0');
    }
  });

  it('is named in the list that kick reads by its very id, spaces and all', async () => {
    for (const [id, user] of [
      [' sp ', 'u'],
      ['sp', 'victim'],
    ]) {
      await redis.client.set(`ws:session:${id}`, user!);
      await redis.client.sadd(`ws:user:${user}`, id!);
      await redis.client.sadd('ws:sessions:all', id!);
    }
    const env = { WSSESS_REDIS_URL: redis.url };
    const { code } = await wssess(['kick', '-', '--purge'], { env, input: ' sp \n' });
    expect(code).toBe(0);
    expect(await redis.client.exists('ws:session: sp ', 'ws:session:sp')).toBe(1);
    expect(await redis.client.get('ws:session:sp')).toBe('victim');
    await redis.client.del('ws:session:sp', 'ws:user:victim');
    await redis.client.srem('ws:sessions:all', 'sp');
  });
});
